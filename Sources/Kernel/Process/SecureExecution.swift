import CLinux

/// Whether this program was given more privilege by being executed: a set-user-ID or set-group-ID bit, or capabilities of
/// its file. The corresponding C call is `getauxval(AT_SECURE)`.
package func isSecureExecution() -> Bool { getauxval(UInt(AT_SECURE)) != 0 }
