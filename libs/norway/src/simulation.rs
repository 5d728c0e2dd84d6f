//! The numbers of `sim_parameters.csv` that a realistic simulated population is drawn from.

use crate::code_list::find;
use crate::tables::SIM_PARAMETERS;

/// The value of a parameter as the list writes it; none when the list has no such parameter.
pub fn parameter(name: &str) -> Option<&'static str> {
    find(SIM_PARAMETERS, name).map(|at| SIM_PARAMETERS[usize::from(at)].value)
}

/// The numbers in a parameter's value, in order: `"4 724 / 4 220"` is `[4724.0, 4220.0]` (a space separates thousands, ` / ` values).
/// Empty when the parameter is unknown; parts that are no number are left out.
pub fn numbers(name: &str) -> Vec<f64> {
    let value = parameter(name).unwrap_or_default();
    value
        .split(" / ")
        .filter_map(|part| part.replace(' ', "").parse().ok())
        .collect()
}
