// Makes files that the host does not have and that would take effect there (CVE-2026-25725): settings of
// agents, start-up files, autostart entries. They may well appear inside. Argument: the home.
#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2 || chdir(argv[1]) != 0) return 2;
    const char* directories[] = {".claude",           ".vscode",         ".config",
                                 ".config/autostart", ".config/systemd", "bin"};
    const char* files[] = {".mcp.json",
                           ".claude/settings.json",
                           ".vscode/tasks.json",
                           ".bashrc",
                           ".profile",
                           ".config/autostart/x.desktop",
                           ".config/systemd/x.service",
                           "bin/ls",
                           ".ssh/authorized_keys",
                           ".gitconfig"};
    for (unsigned i = 0; i < sizeof directories / sizeof *directories; ++i) mkdir(directories[i], 0755);
    mkdir(".ssh", 0700);
    for (unsigned i = 0; i < sizeof files / sizeof *files; ++i) {
        const int fd = open(files[i], O_WRONLY | O_CREAT | O_TRUNC, 0755);
        printf("%s: %s\n", files[i], fd >= 0 && write(fd, "evil\n", 5) == 5 ? "written" : strerror(errno));
        close(fd);
    }
    return 0;  // whether it got through is seen on the host
}
