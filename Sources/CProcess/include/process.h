// What Swift cannot call itself because it is variadic, or must happen between fork and exec.
#ifndef FATHOM_PROCESS_H
#define FATHOM_PROCESS_H

/// Has the system kill this process when the thread that started it ends.
void fathom_end_with_parent(void);

/// Makes this process the parent of all its descendants whose own parent ends.
void fathom_adopt_orphans(void);

/// Whether this kernel can keep a process from writing elsewhere (Landlock, Linux 5.13).
int fathom_can_limit_writes(void);

/// Starts a program that ends when the calling thread does.
///
/// - words: Its path and arguments, ended by NULL.
/// - folders: Where alone it, and all that it starts, may write beside devices, ended by NULL; NULL
///   for everywhere. Without effect where the kernel cannot limit it.
/// - file_bytes, data_bytes: The most bytes of a file, and of a process's data; -1 for no limit.
///
/// Answers its process number; -1 and errno when it cannot be started.
int fathom_spawn_limited(
    char *const words[], char *const folders[], long long file_bytes, long long data_bytes);

#endif
