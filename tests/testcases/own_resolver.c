// own_resolver NAME PATH: looks the name up as programs do that bring their own resolver (Go, Java, musl), over UDP at the
// first server of resolv.conf and again over TCP, connects to what it got, and prints what HTTP/1.0 answers.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t put_query(unsigned char* to, const char* name) {
    static const unsigned char head[] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    memcpy(to, head, sizeof head);
    size_t at = sizeof head;
    while (*name != 0) {
        const size_t length = strcspn(name, ".");
        to[at++] = (unsigned char)length;
        memcpy(to + at, name, length);
        at += length;
        name += length + (name[length] == '.');
    }
    memcpy(to + at, "\0\0\1\0\1", 5);
    return at + 5;
}

// The address in the last four bytes of an answer with one A record behind the question.
static int take_answer(const unsigned char* answer, ssize_t size, size_t question, struct in_addr* address) {
    if (size < (ssize_t)question + 16 || answer[0] != 0x12 || answer[1] != 0x34 || (answer[3] & 15) != 0 ||
        answer[7] == 0)
        return -1;
    memcpy(address, answer + question + 12, sizeof *address);
    return 0;
}

static int first_server(struct sockaddr_in* server) {
    FILE* file = fopen("/etc/resolv.conf", "r");
    char line[256], text[64];
    int found = -1;
    while (file != NULL && found != 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "nameserver %63s", text) == 1)
            found = inet_pton(AF_INET, text, &server->sin_addr) == 1 ? 0 : -1;
    if (file != NULL) fclose(file);
    server->sin_family = AF_INET;
    server->sin_port = htons(53);
    return found;
}

static int look_up(const char* name, int type, struct in_addr* address) {
    struct sockaddr_in server = {0};
    unsigned char query[514], answer[514];
    const size_t size = put_query(query + 2, name);
    query[0] = (unsigned char)(size >> 8);
    query[1] = (unsigned char)size;
    const int fd = socket(AF_INET, type, 0);
    if (first_server(&server) != 0 || connect(fd, (struct sockaddr*)&server, sizeof server) != 0) return -1;
    const int stream = type == SOCK_STREAM;
    if (send(fd, stream ? query : query + 2, size + (stream ? 2 : 0), 0) < 0) return -1;
    const ssize_t got = recv(fd, answer, sizeof answer, 0);
    close(fd);
    return take_answer(stream ? answer + 2 : answer, got - (stream ? 2 : 0), size, address);
}

int main(int argc, char** argv) {
    if (argc != 3 || strlen(argv[1]) > 250) return 2;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct in_addr again;
    if (look_up(argv[1], SOCK_DGRAM, &to.sin_addr) != 0 || look_up(argv[1], SOCK_STREAM, &again) != 0) {
        perror("look up");
        return 1;
    }
    if (again.s_addr != to.sin_addr.s_addr) return 3;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr*)&to, sizeof to) != 0) {
        perror("connect");
        return 1;
    }
    char text[1024];
    const int size = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", argv[2], argv[1]);
    if (write(fd, text, (size_t)size) != size) return 1;
    for (ssize_t got; (got = read(fd, text, sizeof text)) > 0;)
        if (write(1, text, (size_t)got) != got) return 1;
    return 0;
}
