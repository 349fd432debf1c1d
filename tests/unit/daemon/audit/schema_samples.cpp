// Writes real lines for the schema's test: one of each action through the encoder, hostile names, and a whole
// small log with its checkpoints and a gap. Prints them to standard output.
#include <iostream>

#include "tests/unit/daemon/audit/samples.hpp"
#include "tests/unit/daemon/audit/support.hpp"

int main() {
    using namespace reeve::audit;
    const test::Place place;
    const test::Samples samples;
    {
        auto log =
            place.open({.segment_size = 10'000, .boot_id = "b4a1", .self = test::Samples::facts()}).value();
        auto records = samples.each_action();
        // The log's own records are the real ones below.
        std::erase_if(records, [](const Record& r) { return word(r.action).starts_with("audit."); });
        log->append(records);
        log->append(samples.full());
        const std::string hostile = "/a\"\n\xff\\" + std::string(4096, '\x01');
        const ProcessContext process({.pid = 1, .exe = hostile});
        log->append({.process = &process, .resource = hostile});
        test::fill(*log, 10);
    }
    const auto last = place.segments().back();
    test::write_file(last, test::read_file(last) + "{\"torn");
    { auto log = place.open().value(); }
    if (!place.verify().ok()) return 1;
    std::cout << place.text();
}
