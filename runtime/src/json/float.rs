//! Floats as text, the way Python prints them.

/// The shortest text that reads back as the same float, laid out as Python's `repr` does: always with a point or an
/// exponent, and with an exponent below `1e-4` and from `1e16` on. NaN and infinities are `nan`, `inf` and `-inf`.
pub(crate) fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = shortest(value);
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("`{:e}` writes an exponent");
    let exponent: i32 = exponent
        .parse()
        .expect("`{:e}` writes a small decimal exponent");
    let Ok(places @ -4..16) = i8::try_from(exponent) else {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    };
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    match usize::try_from(places) {
        Err(_) => {
            let zeros = "0".repeat(usize::from(places.unsigned_abs()) - 1);
            format!("{sign}0.{zeros}{digits}")
        }
        Ok(places) if digits.len() <= places + 1 => {
            format!("{sign}{digits:0<width$}.0", width = places + 1)
        }
        Ok(places) => {
            let (whole, fraction) = digits.split_at(places + 1);
            format!("{sign}{whole}.{fraction}")
        }
    }
}

/// The shortest digits that identify a finite float, in scientific notation.
fn shortest(value: f64) -> String {
    let shortest = format!("{value:e}");
    let digits = shortest
        .bytes()
        .take_while(|byte| *byte != b'e')
        .filter(u8::is_ascii_digit)
        .count();
    // Two equally short texts can be equally near, and so long: Python then takes the one that ends in an even digit, as
    // formatting to a number of digits does.
    if digits >= 16 {
        let even = format!("{value:.*e}", digits - 1);
        if even.parse() == Ok(value) {
            return even;
        }
    }
    shortest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_look_as_in_python() {
        // Printed by CPython.
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (20.0, "20.0"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (0.000_015, "1.5e-05"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.234_567_89e22, "1.23456789e+22"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (-1e100, "-1e+100"),
            (123_456.789, "123456.789"),
            (-251_269_139_691_215.62, "-251269139691215.62"),
            (1_200_000.0, "1200000.0"),
            (-0.001_25, "-0.00125"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, text) in cases {
            assert_eq!(float_text(value), text);
        }
    }
}
