// The socket where clients connect, and who is connected.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/reeved/connection.hpp"

namespace reeve::daemon {

inline constexpr std::size_t kMostConnections = 512;
inline constexpr std::size_t kMostOfOnePerson = 128;

class Server {
  public:
    // Listens at `path`, whose folder is made if only it is missing. Refused while another daemon has it: a lock beside
    // the socket tells. The socket is for everybody to connect to; each call is decided for itself.
    static platform::Result<std::unique_ptr<Server>> listen(platform::EventLoop& loop,
                                                            const std::string& path,
                                                            Connection::Request request);
    ~Server();  // removes the socket
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void stop_listening();

  private:
    Server(platform::EventLoop& loop, Connection::Request request)
        : loop_(loop), request_(std::move(request)) {}
    void accept();
    platform::Status admit(platform::Fd socket);

    platform::EventLoop& loop_;
    Connection::Request request_;
    std::string path_;
    platform::Fd lock_, socket_;
    std::map<int, std::shared_ptr<Connection>> connections_;  // by a number of their own
    int next_ = 0;
};

}  // namespace reeve::daemon
