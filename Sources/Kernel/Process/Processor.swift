import CLinux

/// Whether programs that are made for AVX2 run here.
package func hasAVX2() -> Bool { linux_has_avx2() != 0 }
