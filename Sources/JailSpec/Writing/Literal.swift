/// A text that a spec takes as it is, where it would expand `${NAME}`: `${` becomes `$${`.
package func literal(_ text: String) -> String {
    var result = ""
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
        if scalar == "{", previous == "$" { result.unicodeScalars.append("$") }
        if let previous { result.unicodeScalars.append(previous) }
        previous = scalar
    }
    if let previous { result.unicodeScalars.append(previous) }
    return result
}
