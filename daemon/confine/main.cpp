// reeve-confine: the first process of a session. Started by reeve-spawner and by nobody else.
#include "platform/linux/confine/steps.hpp"

int main() {
    reeve::platform::confine::run_session();
}
