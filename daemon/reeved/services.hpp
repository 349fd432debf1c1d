// What the calls work with, and the table of them. daemon.cpp puts the parts together.
#pragma once

#include <memory>
#include <string>

#include "attestation/key.hpp"
#include "daemon/audit/log.hpp"
#include "daemon/audit/watcher.hpp"
#include "daemon/reeved/connection.hpp"
#include "daemon/reeved/log_readers.hpp"
#include "daemon/reeved/posture_service.hpp"
#include "daemon/reeved/settings.hpp"
#include "daemon/session/people.hpp"
#include "daemon/session/sessions.hpp"

namespace reeve::daemon {

// All belong to the Daemon and live as long as it does.
struct Services {
    const Settings& settings;
    platform::EventLoop& loop;
    audit::Log& log;
    session::People& people;
    session::Sessions& sessions;
    platform::confine::Spawner& spawner;
    audit::Watcher& watcher;
    LogReaders& readers;
    PostureService& posture;
    std::shared_ptr<const attestation::Signer> key;
    platform::confine::Support support;
    session::Available available;
    std::string device_id;
};

using Client = std::shared_ptr<Connection>;

// Each answers its client with done() or fail(), now or later.
void call_run(Services& services, const Client& client, api::Message message);
void call_ps(Services& services, const Client& client, const api::Json& body);
void call_stop(Services& services, const Client& client, const api::Json& body);
void call_policy(Services& services, const Client& client, const api::Json& body);
void call_explain(Services& services, const Client& client, const api::Json& body);
void call_denials(Services& services, const Client& client, const api::Json& body);
void call_log(Services& services, const Client& client, const api::Json& body);
void call_checkpoint(Services& services, const Client& client, const api::Json& body);
void call_posture(Services& services, const Client& client, const api::Json& body);
void call_attest(Services& services, const Client& client, const api::Json& body);
void call_device_key(Services& services, const Client& client, const api::Json& body);
void call_doctor(Services& services, const Client& client, const api::Json& body);

// Looks the call up and makes it. Descriptors that come with one that takes none are an error.
void dispatch(Services& services, const Client& client, api::Message message);

// Shared by several calls: whether the caller may act on what belongs to `uid`.
inline bool may_act_on(const Connection& client, uid_t uid) {
    return client.peer().is_root() || client.peer().uid == uid;
}

// A session of the caller's own, or for root any; another person's is told like one that is not there.
inline platform::Result<session::Session*> session_for(Services& services, const Client& client,
                                                       const std::string& id) {
    session::Session* session = services.sessions.find(id);
    if (session != nullptr && may_act_on(*client, session->facts().uid)) return session;
    return platform::error("find the session", id, "there is none of that id", "reeve ps lists them");
}

}  // namespace reeve::daemon
