#include "daemon/reeved/log_readers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace reeve::daemon {

using platform::Fd;

struct LogReaders::Reader {
    audit::Filter filter;
    bool follow = false;
    Fd directory, socket, stopped;  // copies of its own; the last is readable once it is to stop
    std::atomic<bool> finished{false};

    static constexpr std::size_t kBatch = 32 * 1024;  // bytes of lines in a packet; JSON in JSON grows
    api::Json lines = api::Json::array();
    std::size_t bytes = 0;

    void stop() {
        const std::uint64_t one = 1;
        (void)!::write(stopped.get(), &one, sizeof one);
        thread.request_stop();
    }

    // Waits for a client that reads slowly, but not for longer than it is wanted.
    bool send(const api::Json& body) {
        while (true) {
            auto sent = api::send_message(socket.get(), body);
            if (sent) return true;
            if (sent.error().code != EAGAIN) return false;
            pollfd events[] = {{socket.get(), POLLOUT, 0}, {stopped.get(), POLLIN, 0}};
            if (::poll(events, 2, -1) < 0 && errno != EINTR) return false;
            if (events[1].revents != 0) return false;
        }
    }

    bool flush() {
        if (lines.empty()) return true;
        const api::Json body{{"event", "records"}, {"lines", std::move(lines)}};
        lines = api::Json::array();
        bytes = 0;
        return send(body);
    }

    bool take(std::string_view line) {
        // Only a record with paths of thousands of control characters is as long as that.
        const bool fits = line.size() < api::kMaxMessage / 2;
        if (bytes + line.size() > kBatch && !flush()) return false;
        lines.push_back(fits ? std::string(line)
                             : R"({"schema":"reeve.audit/1","note":"a record of )" +
                                   std::to_string(line.size()) +
                                   R"( bytes does not fit: read it in the log's file"})");
        bytes += line.size();
        return !follow || flush();
    }

    platform::Status run(audit::Log& log, std::stop_token token) {
        (void)log.flush();  // an unwritable log is read as far as it goes
        const auto take_line = [this](std::string_view line) { return take(line); };
        auto done = audit::query(directory.get(), filter, follow, take_line, std::move(token));
        if (done) flush();
        return done;
    }

    // The last member: destroyed first, so that it has ended before what it uses is gone.
    std::jthread thread;
};

LogReaders::~LogReaders() {
    for (const auto& reader : readers_) reader->stop();
}

void LogReaders::forget_finished() {
    std::erase_if(readers_, [](const auto& reader) { return reader->finished.load(); });
}

void LogReaders::start(const std::shared_ptr<Connection>& connection, audit::Filter filter, bool follow) {
    forget_finished();
    if (readers_.size() >= kMostReaders)
        return connection->fail(platform::error("read the log", "", "there are too many readers",
                                                "end another reeve log --follow"));
    auto reader = std::make_shared<Reader>();
    reader->filter = std::move(filter);
    reader->follow = follow;
    reader->directory.reset(::fcntl(directory_.get(), F_DUPFD_CLOEXEC, 0));
    reader->socket.reset(::fcntl(connection->socket(), F_DUPFD_CLOEXEC, 0));
    reader->stopped.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!reader->directory || !reader->socket || !reader->stopped)
        return connection->fail(platform::os_error("read the log", ""));
    // A client that has seen enough closes its end; whatever it sends meanwhile is out of turn.
    connection->while_busy(nullptr, [weak = std::weak_ptr(reader)] {
        if (const auto running = weak.lock()) running->stop();
    });
    readers_.push_back(reader);
    reader->thread =
        std::jthread([this, raw = reader.get(), weak = std::weak_ptr(connection)](std::stop_token token) {
            ::pthread_setname_np(::pthread_self(), "reeve-log-read");
            auto result = raw->run(log_, std::move(token));
            // The answer is sent from here, where one waits for a client that reads slowly: the loop would hang up on it.
            raw->send(result ? api::done() : api::failure(result.error()));
            raw->finished = true;
            loop_.post([this, weak] {
                if (const auto client = weak.lock()) client->answered();
                forget_finished();
            });
        });
}

}  // namespace reeve::daemon
