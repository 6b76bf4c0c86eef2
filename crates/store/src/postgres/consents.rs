//! What people let applications of others know about them.

use journey::{Happened, PersonId, Timestamp};

use super::{
    Cause,
    link::{Link, Tx},
    refresh,
    rows::Columns,
};
use crate::{By, Consent};

pub(super) async fn of_person(link: &Link, person: PersonId) -> Result<Vec<Consent>, Cause> {
    let sql = "select application, at, scope from consent where person = $1 order by application";
    let rows = link.rows(sql, &[&person.0.as_slice()]).await?;
    let consents = rows.iter().map(|row| {
        let mut columns = Columns::of(row);
        Ok(Consent {
            application: columns.next()?,
            at: Timestamp(columns.next()?),
            person,
            scope: columns.next()?,
        })
    });
    consents.collect()
}

pub(super) async fn give(tx: &Tx, consent: &Consent, by: &By) -> Result<(), Cause> {
    tx.execute(
        "insert into consent (person, application, at, scope) values ($1, $2, $3, $4)
         on conflict (person, application) do update set at = excluded.at, scope = excluded.scope",
        &[
            &consent.person.0.as_slice(),
            &consent.application,
            &consent.at.0,
            &consent.scope,
        ],
    )
    .await?;
    let application = consent.application.clone();
    let given = Happened::ConsentGiven { application };
    tx.tell(&given, &by.about(consent.person), None);
    Ok(())
}

pub(super) async fn take_back(
    tx: &Tx,
    (person, application): (PersonId, &str),
    by: &By,
) -> Result<bool, Cause> {
    let sql = "delete from consent where person = $1 and application = $2";
    let gone = tx
        .execute(sql, &[&person.0.as_slice(), &application])
        .await?;
    refresh::end_at(tx, (person, application)).await?;
    if gone > 0 {
        let application = application.to_owned();
        let taken = Happened::ConsentTakenBack { application };
        tx.tell(&taken, &by.about(person), None);
    }
    Ok(gone > 0)
}
