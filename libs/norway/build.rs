//! Turns the code lists in `data/` into constant tables, sorted by code, for binary search.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

/// What a column holds, and so which Rust type it becomes.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Optional,
    Number,
    Decimal,
}

struct Table {
    file: &'static str,
    name: &'static str,
    row: &'static str,
    /// (column in the file, field of the row, kind); the first column is the key.
    columns: &'static [(&'static str, &'static str, Kind)],
}

const TABLES: &[Table] = &[
    Table {
        file: "fylker",
        name: "FYLKER",
        row: "FylkeRow",
        columns: &[
            ("fylkesnummer", "code", Kind::Text),
            ("fylkesnavn", "name", Kind::Text),
            ("offisielt_navn_alle_spraak", "official_name", Kind::Text),
            ("folketall_2025", "population", Kind::Number),
        ],
    },
    Table {
        file: "kommuner",
        name: "KOMMUNER",
        row: "KommuneRow",
        columns: &[
            ("kommunenummer", "code", Kind::Text),
            ("kommunenavn", "name", Kind::Text),
            ("offisielt_navn_alle_spraak", "official_name", Kind::Text),
            ("fylkesnummer", "county", Kind::Text),
            ("folketall_2025", "population", Kind::Number),
            ("maalform", "maalform", Kind::Text),
        ],
    },
    Table {
        file: "postnummer",
        name: "POSTNUMMER",
        row: "PostnummerRow",
        columns: &[
            ("postnummer", "code", Kind::Text),
            ("poststed", "place", Kind::Text),
            ("kommunenummer", "kommune", Kind::Text),
            ("kategori", "category", Kind::Text),
        ],
    },
    Table {
        file: "icnpo",
        name: "ICNPO",
        row: "IcnpoRow",
        columns: &[
            ("code", "code", Kind::Text),
            ("parent", "parent", Kind::Optional),
            ("name_nb_sourced", "nb", Kind::Text),
            ("name_nn_own_translation", "nn", Kind::Text),
            ("name_en_own_translation", "en", Kind::Text),
            ("api_kategori_key_if_known", "api_key", Kind::Optional),
            ("sim_primary_weight_own_estimate", "weight", Kind::Decimal),
        ],
    },
    Table {
        file: "organisasjonsformer",
        name: "FORMS",
        row: "FormRow",
        columns: &[
            ("code", "code", Kind::Text),
            ("name_nb", "nb", Kind::Text),
            ("name_en", "en", Kind::Optional),
            ("may_register_in_frivillighetsregisteret", "voluntary", Kind::Text),
        ],
    },
    Table {
        file: "roles",
        name: "ROLES",
        row: "RoleRow",
        columns: &[
            ("code", "code", Kind::Text),
            ("name_nb", "nb", Kind::Text),
            ("name_en", "en", Kind::Text),
            ("role_group", "group", Kind::Optional),
            ("use_for_FLI", "use_for_association", Kind::Text),
        ],
    },
    Table {
        file: "role_groups",
        name: "ROLE_GROUPS",
        row: "RoleGroupRow",
        columns: &[
            ("code", "code", Kind::Text),
            ("name_nb", "nb", Kind::Text),
            ("name_en", "en", Kind::Text),
        ],
    },
    Table {
        file: "internal_roles",
        name: "INTERNAL_ROLES",
        row: "InternalRoleRow",
        columns: &[
            ("code", "code", Kind::Text),
            ("name_nb", "nb", Kind::Text),
            ("name_en", "en", Kind::Text),
        ],
    },
    Table {
        file: "naeringskoder_subset_sn2025",
        name: "NACE",
        row: "NaceRow",
        columns: &[("code", "code", Kind::Text), ("name_en", "en", Kind::Text)],
    },
    Table {
        file: "sektorkoder",
        name: "SECTORS",
        row: "SectorRow",
        columns: &[
            ("code", "code", Kind::Text),
            ("name_nb", "nb", Kind::Text),
            ("name_en", "en", Kind::Text),
        ],
    },
    Table {
        file: "sim_parameters",
        name: "SIM_PARAMETERS",
        row: "SimParameterRow",
        columns: &[("parameter", "code", Kind::Text), ("value", "value", Kind::Text)],
    },
    Table {
        file: "paategninger_infotypes",
        name: "ANNOTATIONS",
        row: "AnnotationRow",
        columns: &[("code", "code", Kind::Text), ("meaning_en", "en", Kind::Text)],
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=data");
    let mut code = String::new();
    for table in TABLES {
        write_table(&mut code, table)?;
    }
    std::fs::write(out_dir()?.join("tables.rs"), code)?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script its output folder in no other way"
)]
fn out_dir() -> Result<PathBuf, Box<dyn Error>> {
    Ok(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is set by cargo")?.into())
}

fn write_table(code: &mut String, table: &Table) -> Result<(), Box<dyn Error>> {
    let path = format!("data/{}.csv", table.file);
    let mut reader = csv::Reader::from_path(&path)?;
    let headers = reader.headers()?.clone();
    let mut positions = Vec::new();
    for (column, ..) in table.columns {
        let at = headers.iter().position(|header| header == *column);
        positions.push(at.ok_or_else(|| format!("{path} has no column {column}"))?);
    }
    let mut rows = reader.records().collect::<Result<Vec<_>, _>>()?;
    rows.sort_by(|a, b| a[positions[0]].cmp(&b[positions[0]]));

    writeln!(code, "#[derive(Debug)]\npub(crate) struct {} {{", table.row)?;
    for (_, field, kind) in table.columns {
        let rust = match kind {
            Kind::Text => "&'static str",
            Kind::Optional => "Option<&'static str>",
            Kind::Number => "u32",
            Kind::Decimal => "f64",
        };
        writeln!(code, "    pub(crate) {field}: {rust},")?;
    }
    writeln!(
        code,
        "}}\nimpl crate::code_list::Row for {} {{\n    fn code(&self) -> &'static str {{ self.code }}\n}}",
        table.row
    )?;
    writeln!(code, "pub(crate) static {}: &[{}] = &[", table.name, table.row)?;
    for row in &rows {
        write!(code, "    {} {{ ", table.row)?;
        for ((_, field, kind), at) in table.columns.iter().zip(&positions) {
            let value = &row[*at];
            match kind {
                Kind::Text => write!(code, "{field}: {value:?}, ")?,
                Kind::Optional if value.is_empty() => write!(code, "{field}: None, ")?,
                Kind::Optional => write!(code, "{field}: Some({value:?}), ")?,
                Kind::Number => write!(code, "{field}: {}, ", value.parse::<u32>()?)?,
                Kind::Decimal if value.is_empty() => write!(code, "{field}: 0.0, ")?,
                Kind::Decimal => write!(code, "{field}: {:?}, ", value.parse::<f64>()?)?,
            }
        }
        writeln!(code, "}},")?;
    }
    writeln!(code, "];")?;
    Ok(())
}
