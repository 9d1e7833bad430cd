/* The last line of every file that includes lanes.h: clang wants the attribute taken off again. */
#if defined(__clang__) && (defined(AQUILA_AVX2) || (defined(AQUILA_IFMA) && !defined(AQUILA_EMULATED)))
#pragma clang attribute pop
#endif
