// The parser of fanotify events: any bytes end in events or an error, and every view lies inside the input.
#include <cstdint>
#include <cstdlib>

#include "platform/watch.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using reeve::platform::watch::Event;
    const std::span<const char> bytes(reinterpret_cast<const char*>(data), size);
    std::vector<Event> events;
    (void)reeve::platform::watch::parse(bytes, events);
    for (const Event& event : events) {
        for (const std::string_view view : {event.directory, event.name}) {
            if (view.empty()) continue;
            if (view.data() < bytes.data() || view.data() + view.size() > bytes.data() + size) std::abort();
        }
    }
    return 0;
}
