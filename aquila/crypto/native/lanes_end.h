/* The last line of every file that includes lanes.h: clang wants the attribute taken off again. */
#if defined(__clang__) && !defined(AQUILA_PORTABLE)
#pragma clang attribute pop
#endif
