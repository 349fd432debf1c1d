// A growing run of bytes for the encoder: room for a whole line is taken once, and the line is then written
// through a plain pointer. Keeps its memory when it is cleared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace reeve::audit {

class Buffer {
  public:
    // At least `bytes` writable bytes at the end. Valid until the next call; tell commit() how far it was
    // written.
    char* room(std::size_t bytes) {
        if (capacity_ - size_ < bytes) grow(bytes);
        return data_.get() + size_;
    }
    void commit(const char* end) { size_ = static_cast<std::size_t>(end - data_.get()); }
    void append(std::string_view text) {
        char* at = room(text.size());
        std::memcpy(at, text.data(), text.size());
        commit(at + text.size());
    }
    void clear() { size_ = 0; }
    // Takes back what was appended after the buffer had `size` bytes.
    void cut(std::size_t size) { size_ = std::min(size, size_); }
    void release() { *this = Buffer(); }

    std::size_t size() const { return size_; }
    std::size_t capacity() const { return capacity_; }
    std::string_view text() const { return {data_.get(), size_}; }

  private:
    void grow(std::size_t bytes) {
        const std::size_t capacity = std::max(size_ + bytes, capacity_ + capacity_ / 2);
        auto data = std::make_unique_for_overwrite<char[]>(capacity);
        if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
        data_ = std::move(data);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> data_;
    std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace reeve::audit
