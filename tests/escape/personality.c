// Switches off what makes the programs that it starts hard to exploit.
#include <sys/personality.h>

#include "tests/escape/attack.h"

int main(void) {
    past("no randomisation", personality(ADDR_NO_RANDOMIZE));
    past("everything executable", personality(READ_IMPLIES_EXEC));
    past("high bits", syscall(SYS_personality, ADDR_NO_RANDOMIZE | (1L << 32)));
    return done();
}
