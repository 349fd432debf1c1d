// The calls of reeved's socket besides "run" (run_request.hpp), with their members and results. A call by a person
// is about their own sessions, by root about all. "?" is a member that may be left out.
//
//  ps
//      sessions: [{session, uid, user, agent, trust, policy, workspace, command: [], started, pid, state}]
//      started: RFC 3339; state: running | stopped | ending
//  stop       session | all: true
//      stopped: [session]
//  log        session?, path?, host?, decision?, action?, since? (RFC 3339), follow?
//      events {"event": "records", "lines": [record as it stands]}, then done
//      decision: allow | ask | deny, what policy said, or allowed | denied | failed, what came of it
//  denials    session, since?: only those with a greater number
//      {denials: [{number, time, action, resource, target?, decision, rule?, reason?, where?, todo, count}], more}: the
//      last ones of a running session, oldest first; time: RFC 3339; where: FILE:LINE of the rule; more: ask again
//      since the last of these
//  policy     workspace?, agent?
//      {policy, agent, workspace, states, table_bytes, layers: [{authority, id, version, file}], warnings: [],
//       zones: [{path, writable, executable, log: [], rule}], masks: [{path, rule}], unenforced: [{rule, pattern, reason, widens}]}
//  explain    session | workspace?, agent?; action, resource (a path; HOST:PORT for "connect")
//      {verdict, decided_by: rule | default, rule?, reason?, label?, enforced?: {by: mount | keeper | veil | nothing, reason},
//       layers: [{authority, base, verdict?, rules: [{rule, verdict, reason?, file, line}]}]}
//  posture    fresh?
//      {checks: [...], compliant, requirements: [{id, met, reason?}], table}
//  attest     audience, challenge?, session?
//      {evidence, pop?, jwk, tier}
//  device-key
//      {jwk, thumbprint, tier}
//  doctor
//      {findings: [{area, name, state: ok | warning | problem | off, detail, todo?}]}
//  checkpoint (root)
//      {seq, chain}
#pragma once

namespace reeve::api {

// Where the daemon listens unless $REEVE_SOCKET names another place.
inline constexpr const char* kSocket = "/run/reeve/reeve.sock";
inline constexpr const char* kLogDirectory = "/var/log/reeve";
inline constexpr const char* kStateDirectory = "/var/lib/reeve";
// In the state directory: the device's public key as a JWK, for those who verify the log without the daemon.
inline constexpr const char* kPublicKeyFile = "device-key.jwk";

}  // namespace reeve::api
