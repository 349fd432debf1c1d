// reeve-commands: what `reeve` becomes for every command but a session's start.
#include "client/app.hpp"

int main(int argc, char** argv) {
    return reeve::client::run_program(argc, argv, reeve::client::all_families());
}
