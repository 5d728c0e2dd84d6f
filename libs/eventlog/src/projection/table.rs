//! The table of one generation of a view.

use std::fmt::Write as _;
use std::marker::PhantomData;

use prost::Message as _;
use sqlx::{PgConnection, Row as _};

use crate::projection::fold::Changes;
use crate::projection::{Kind, Projection, Value};

/// A table and the statements on it.
#[derive(Debug)]
pub(super) struct Table<P> {
    pub(super) name: String,
    load: String,
    upsert: String,
    delete: String,
    projection: PhantomData<fn() -> P>,
}

/// The table's name of a generation: `org_timeline_v1_3`.
pub(super) fn name(view: &str, version: i32, generation: i32) -> String {
    format!("{view}_v{version}_{generation}")
}

// === impl Table ===

impl<P: Projection> Table<P> {
    /// Prepares the statements on a table.
    pub(super) fn new(name: String) -> Self {
        let mut columns = "key, row".to_owned();
        let mut values = "u.key, u.row".to_owned();
        let mut arrays = "$1::text[], $2::bytea[]".to_owned();
        let mut set = "row = excluded.row".to_owned();
        for (n, column) in P::COLUMNS.iter().enumerate() {
            let (cast, array) = match column.kind {
                // Arrays of arrays are taken apart by unnest: they travel as text.
                Kind::Texts => ("::text[]", "text[]"),
                Kind::Text => ("", "text[]"),
                Kind::Bigint => ("", "bigint[]"),
                Kind::Boolean => ("", "boolean[]"),
                Kind::Uuid => ("", "uuid[]"),
                Kind::Timestamp => ("", "timestamptz[]"),
            };
            let column = column.name;
            write!(columns, ", {column}").expect("a string takes everything");
            write!(values, ", u.{column}{cast}").expect("a string takes everything");
            write!(arrays, ", ${}::{array}", n + 3).expect("a string takes everything");
            write!(set, ", {column} = excluded.{column}").expect("a string takes everything");
        }
        Self {
            load: format!("select key, row from {name} where key = any($1)"),
            upsert: format!(
                "insert into {name} ({columns}) select {values} from unnest({arrays}) as u({columns}) on conflict (key) do update set {set}"
            ),
            delete: format!("delete from {name} where key = any($1)"),
            name,
            projection: PhantomData,
        }
    }

    /// Makes the table, without the indexes that only queries need.
    pub(super) async fn create(&self, connection: &mut PgConnection, temporary: bool) -> Result<(), sqlx::Error> {
        let mut sql = format!(
            "create {} table if not exists {} (key text collate \"C\" primary key, row bytea not null",
            if temporary { "temporary" } else { "" },
            self.name
        );
        for column in P::COLUMNS {
            write!(sql, ", {} {}", column.name, column.kind.sql()).expect("a string takes everything");
        }
        // Room on the page, so that rows that change stay where they are and their index entries too.
        write!(sql, ") with (fillfactor = {})", if P::APPEND_ONLY { 100 } else { 80 })
            .expect("a string takes everything");
        sqlx::query(&sql).execute(connection).await?;
        Ok(())
    }

    /// Makes the indexes that queries need.
    pub(super) async fn index(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let single = P::COLUMNS.iter().filter(|column| column.indexed).map(|column| {
            let method = if column.kind == Kind::Texts { "gin" } else { "btree" };
            (method, column.name)
        });
        for (n, (method, columns)) in single
            .chain(P::INDEXES.iter().map(|columns| ("btree", *columns)))
            .enumerate()
        {
            let sql = format!(
                "create index if not exists {name}_i{n} on {name} using {method} ({columns})",
                name = self.name
            );
            sqlx::query(&sql).execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// The rows of some keys.
    pub(super) async fn load(
        &self,
        connection: &mut PgConnection,
        keys: &[String],
    ) -> Result<Vec<(String, P::Row)>, sqlx::Error> {
        let rows = sqlx::query(&self.load).bind(keys).fetch_all(connection).await?;
        rows.iter()
            .map(|row| {
                let bytes: &[u8] = row.try_get(1)?;
                let decoded = P::Row::decode(bytes).map_err(|e| sqlx::Error::ColumnDecode {
                    index: "row".into(),
                    source: e.into(),
                })?;
                Ok((row.try_get(0)?, decoded))
            })
            .collect()
    }

    /// Writes what a batch changed, with one statement for what is there and one for what is gone.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        projection: &P,
        changes: Changes<P::Row>,
    ) -> Result<(), sqlx::Error> {
        if !changes.deletes.is_empty() {
            sqlx::query(&self.delete)
                .bind(changes.deletes)
                .execute(&mut *connection)
                .await?;
        }
        if changes.upserts.is_empty() {
            return Ok(());
        }
        let mut cells: Vec<Cells> = P::COLUMNS
            .iter()
            .map(|column| Cells::new(column.kind, changes.upserts.len()))
            .collect();
        let mut rows = Vec::with_capacity(changes.upserts.len());
        let mut keys = Vec::with_capacity(changes.upserts.len());
        for (key, row) in changes.upserts {
            let values = projection.values(&key, &row);
            if values.len() != cells.len() || !cells.iter_mut().zip(values).all(|(cells, value)| cells.push(value)) {
                return Err(sqlx::Error::Encode(
                    format!("{}: the values are not those of the columns", P::NAME).into(),
                ));
            }
            rows.push(row.encode_to_vec());
            keys.push(key);
        }
        let mut query = sqlx::query(&self.upsert).bind(keys).bind(rows);
        for cells in cells {
            query = match cells {
                Cells::Text(cells) => query.bind(cells),
                Cells::Bigint(cells) => query.bind(cells),
                Cells::Boolean(cells) => query.bind(cells),
                Cells::Uuid(cells) => query.bind(cells),
                Cells::Timestamp(cells) => query.bind(cells),
            };
        }
        query.execute(connection).await?;
        Ok(())
    }
}

/// A column of the rows that are written together.
enum Cells {
    Text(Vec<Option<String>>),
    Bigint(Vec<Option<i64>>),
    Boolean(Vec<Option<bool>>),
    Uuid(Vec<Option<uuid::Uuid>>),
    Timestamp(Vec<Option<jiff_sqlx::Timestamp>>),
}

// === impl Cells ===

impl Cells {
    fn new(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Text | Kind::Texts => Self::Text(Vec::with_capacity(rows)),
            Kind::Bigint => Self::Bigint(Vec::with_capacity(rows)),
            Kind::Boolean => Self::Boolean(Vec::with_capacity(rows)),
            Kind::Uuid => Self::Uuid(Vec::with_capacity(rows)),
            Kind::Timestamp => Self::Timestamp(Vec::with_capacity(rows)),
        }
    }

    /// False when the value is of another kind.
    fn push(&mut self, value: Value) -> bool {
        match (self, value) {
            (Self::Text(cells), Value::Text(value)) => cells.push(value),
            (Self::Text(cells), Value::Texts(values)) => cells.push(Some(array(&values))),
            (Self::Bigint(cells), Value::Bigint(value)) => cells.push(value),
            (Self::Boolean(cells), Value::Boolean(value)) => cells.push(value),
            (Self::Uuid(cells), Value::Uuid(value)) => cells.push(value),
            (Self::Timestamp(cells), Value::Timestamp(value)) => cells.push(value.map(jiff_sqlx::ToSqlx::to_sqlx)),
            _ => return false,
        }
        true
    }
}

/// PostgreSQL's text form of an array of texts.
fn array(values: &[String]) -> String {
    let mut array = "{".to_owned();
    for (n, value) in values.iter().enumerate() {
        array.push_str(if n == 0 { "\"" } else { ",\"" });
        array.push_str(&value.replace('\\', "\\\\").replace('"', "\\\""));
        array.push('"');
    }
    array.push('}');
    array
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_keep_their_quotes_and_commas() {
        assert_eq!(super::array(&["a,b".into(), "c\"d\\".into()]), r#"{"a,b","c\"d\\"}"#);
        assert_eq!(super::array(&[]), "{}");
    }
}
