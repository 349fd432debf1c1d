// How plans, setups and messages become bytes: fields in order, integers as they lie in memory, lengths before
// what varies.
//
// Both ends are programs of one build on one machine, so there is no version and no byte order. The reader
// checks every length against what is left all the same: it runs as root. A type travels when a function
// `fields(V&, T&)` beside it lists its members, once for both directions.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "platform/result.hpp"

namespace reeve::platform {

template <class V>
void fields(V& v, Error& e) {
    v(e.tried, e.on, e.why, e.todo, e.code);
}

namespace wire {

class Writer {
  public:
    template <class... T>
    void operator()(const T&... values) {
        (put(values), ...);
    }
    std::string bytes;

  private:
    template <std::integral T>
    void put(T value) {
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void put(const std::string& value) {
        put(static_cast<std::uint32_t>(value.size()));
        bytes += value;
    }
    template <class T>
    void put(const std::vector<T>& values) {
        put(static_cast<std::uint32_t>(values.size()));
        for (const T& value : values) put(value);
    }
    template <class T>
    requires std::is_class_v<T>
    void put(const T& value) {
        fields(*this, const_cast<T&>(value));  // read only: operator() takes its arguments as const
    }
};

class Reader {
  public:
    explicit Reader(std::string_view bytes) : left_(bytes) {}
    template <class... T>
    void operator()(T&... values) {
        (get(values), ...);
    }
    // All was there, and nothing is left over.
    bool complete() const { return !short_ && left_.empty(); }

  private:
    bool take(void* to, std::size_t size) {
        if (short_ || left_.size() < size) {
            short_ = true;
            return false;
        }
        if (size != 0) std::memcpy(to, left_.data(), size);
        left_.remove_prefix(size);
        return true;
    }
    template <std::integral T>
    void get(T& value) {
        take(&value, sizeof value);
    }
    void get(bool& value) {
        unsigned char byte = 0;
        take(&byte, sizeof byte);
        value = byte != 0;
    }
    // Every element takes at least a byte, so that a count beyond what is left is nonsense.
    std::uint32_t count() {
        std::uint32_t n = 0;
        take(&n, sizeof n);
        if (n > left_.size()) short_ = true;
        return short_ ? 0 : n;
    }
    void get(std::string& value) {
        value.resize(count());
        take(value.data(), value.size());
    }
    template <class T>
    void get(std::vector<T>& values) {
        const std::uint32_t n = count();
        values.clear();
        for (std::uint32_t i = 0; i < n && !short_; ++i) get(values.emplace_back());
    }
    template <class T>
    requires std::is_class_v<T>
    void get(T& value) { fields(*this, value); }

    std::string_view left_;
    bool short_ = false;
};

template <class T>
std::string encoded(const T& value) {
    Writer writer;
    writer(value);
    return std::move(writer.bytes);
}

// Nothing: these are not the bytes of one.
template <class T>
std::optional<T> decoded(std::string_view bytes) {
    T value;
    Reader reader(bytes);
    reader(value);
    if (!reader.complete()) return std::nullopt;
    return value;
}

// As it lies in memory.
template <class T>
requires std::is_trivially_copyable_v<T> std::string_view bytes_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace wire
}  // namespace reeve::platform
