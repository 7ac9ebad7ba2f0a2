// What Swift cannot call itself because it is variadic.
#ifndef FATHOM_PROCESS_H
#define FATHOM_PROCESS_H

/// Has the system kill this process when the thread that started it ends.
void fathom_end_with_parent(void);

#endif
