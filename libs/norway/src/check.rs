//! Check digits: the weighted sums modulo 10 and 11 that the Norwegian numbers share.

use crate::invalid::Problem;

/// The digits of `text` as numbers, exactly `N` of them.
pub(crate) fn digits<const N: usize>(text: &str) -> Result<[u8; N], Problem> {
    let mut digits = [0; N];
    let mut count = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !byte.is_ascii_digit() {
            return Err(Problem::NotADigit { at: at + 1 });
        }
        if count < N {
            digits[count] = byte - b'0';
        }
        count += 1;
    }
    if count != N {
        return Err(Problem::Length {
            expected: N,
            found: count,
        });
    }
    Ok(digits)
}

/// `Σ digit · weight`, over as many digits as there are weights.
pub(crate) fn weighted_sum(digits: &[u8], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum()
}

/// The check digit `11 - (sum mod 11)`, where 11 is written 0 and 10 means that the number is never given out.
pub(crate) fn mod11(digits: &[u8], weights: &[u32]) -> Option<u8> {
    match 11 - weighted_sum(digits, weights) % 11 {
        11 => Some(0),
        10 => None,
        digit => u8::try_from(digit).ok(),
    }
}

/// The check digit of MOD10 (Luhn): every second digit from the right is doubled.
pub(crate) fn mod10(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(*digit) * if at % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or_default()
}
