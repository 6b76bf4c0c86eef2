//! What goes to standard output: lines and aligned tables, the same on a terminal and in a pipe.

use std::{
    fmt::{self, Display},
    io::{self, IsTerminal, Write},
};

/// Prints a line. A reader that has left, as `head` does, is no failure.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints a line to standard error, for people only: nothing in a pipe or a log.
pub(crate) fn aside(text: impl Display) {
    if io::stderr().is_terminal() {
        eprintln!("{text}");
    }
}

/// Text in columns as wide as their widest cell; the last one has no width.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table whose first row names the columns.
    pub(crate) fn new<const N: usize>(names: [&str; N]) -> Self {
        Self {
            rows: vec![names.map(str::to_owned).into()],
        }
    }

    /// One more row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// A row of a name and a value.
    pub(crate) fn pair(&mut self, name: &str, value: impl Display) {
        self.row([name.to_owned(), value.to_string()]);
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for (at, row) in self.rows.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            let mut text = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                text.push_str(&format!("{cell:width$}  "));
            }
            f.write_str(text.trim_end())?;
        }
        Ok(())
    }
}

/// `1 person`, `2 people`.
pub(crate) fn count(number: impl Into<u64>, one: &str, many: &str) -> String {
    match number.into() {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, count};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["name", "value"]);
        table.pair("élodie", 1);
        table.pair("x", "a b");
        assert_eq!(table.to_string(), "name    value\nélodie  1\nx       a b");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(count(1_u32, "person", "people"), "1 person");
        assert_eq!(count(0_u32, "person", "people"), "0 people");
    }
}
