#include "daemon/session/environment.hpp"

#include <algorithm>
#include <array>

namespace reeve::session {
namespace {

// What programs need to find themselves and to speak the person's language; no secret is in any of them.
constexpr auto kPassed = std::to_array<std::string_view>({"PATH",
                                                          "LANG",
                                                          "LANGUAGE",
                                                          "LC_*",
                                                          "TZ",
                                                          "TERM",
                                                          "COLORTERM",
                                                          "NO_COLOR",
                                                          "FORCE_COLOR",
                                                          "CLICOLOR",
                                                          "COLUMNS",
                                                          "LINES",
                                                          "EDITOR",
                                                          "VISUAL",
                                                          "PAGER",
                                                          "MANPAGER",
                                                          "LESS",
                                                          "LS_COLORS",
                                                          "CC",
                                                          "CXX",
                                                          "CFLAGS",
                                                          "CXXFLAGS",
                                                          "LDFLAGS",
                                                          "MAKEFLAGS",
                                                          "CMAKE_*",
                                                          "PKG_CONFIG_PATH",
                                                          "GOPATH",
                                                          "GOROOT",
                                                          "JAVA_HOME",
                                                          "CARGO_HOME",
                                                          "RUSTUP_HOME",
                                                          "NVM_DIR",
                                                          "NVM_BIN",
                                                          "VIRTUAL_ENV",
                                                          "PYENV_ROOT",
                                                          "CI",
                                                          "DEBIAN_FRONTEND"});

constexpr auto kNever = std::to_array<std::string_view>(
    {"LD_*", "GCONV_PATH", "GLIBC_TUNABLES", "LOCPATH", "NLSPATH", "HOSTALIASES", "RESOLV_HOST_CONF",
     "MALLOC_TRACE", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "DBUS_*", "DISPLAY",
     "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DOCKER_HOST", "TMUX", "STY", "SUDO_*",
     "NOTIFY_SOCKET", "LISTEN_*", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "REEVE_*",
     // Code that runs inside a trusted program without being it.
     "BASH_ENV", "ENV", "NODE_OPTIONS", "NODE_PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PERL5LIB",
     "PERL5OPT", "RUBYLIB", "RUBYOPT", "JAVA_TOOL_OPTIONS", "GIT_*"});

bool listed(std::string_view name, std::span<const std::string_view> list) {
    return std::ranges::any_of(list, [&](std::string_view entry) {
        return entry.ends_with('*') ? name.starts_with(entry.substr(0, entry.size() - 1)) : name == entry;
    });
}

std::string_view name_of(std::string_view variable) {
    return variable.substr(0, variable.find('='));
}

}  // namespace

std::vector<std::string> split_environment(std::string_view bytes) {
    std::vector<std::string> variables;
    while (!bytes.empty()) {
        const std::size_t end = std::min(bytes.find('\0'), bytes.size());
        const std::string_view variable = bytes.substr(0, end);
        const std::size_t equals = variable.find('=');
        if (equals != std::string_view::npos && equals > 0) variables.emplace_back(variable);
        bytes.remove_prefix(std::min(end + 1, bytes.size()));
    }
    return variables;
}

std::vector<std::string> session_environment(const std::vector<std::string>& theirs,
                                             std::span<const std::string> pass, const Person& person,
                                             const std::string& session) {
    const std::vector<std::string_view> asked(pass.begin(), pass.end());
    std::vector<std::string> environment;
    for (const std::string& variable : theirs) {
        const std::string_view name = name_of(variable);
        // The first of two of one name is the one that getenv(3) finds.
        if (!value_of(environment, name).empty() || listed(name, kNever)) continue;
        if (listed(name, kPassed) || listed(name, asked)) environment.push_back(variable);
    }
    if (value_of(environment, "PATH").empty()) environment.emplace_back("PATH=/usr/local/bin:/usr/bin:/bin");
    if (value_of(environment, "LANG").empty()) environment.emplace_back("LANG=C.UTF-8");
    environment.push_back("HOME=" + person.home);
    environment.push_back("USER=" + person.ids.name);
    environment.push_back("LOGNAME=" + person.ids.name);
    environment.emplace_back("SHELL=/bin/sh");
    environment.emplace_back("TMPDIR=/tmp");
    environment.push_back("REEVE_SESSION=" + session);
    return environment;
}

std::string value_of(const std::vector<std::string>& environment, std::string_view name) {
    for (const std::string& variable : environment)
        if (variable.size() > name.size() && variable.starts_with(name) && variable[name.size()] == '=')
            return variable.substr(name.size() + 1);
    return {};
}

}  // namespace reeve::session
