//! The machine itself: what does not fit is passed over, and giving up ends it.

use super::*;

fn asks_for_pin_then_sends() -> Ceremony<Vec<u8>> {
    Ceremony::new(async |desk: Desk| {
        let pin = desk.pin(PinNeed::default()).await?;
        let mut answer = desk.command(Command(0xbf)).await?;
        answer.extend(pin.as_bytes());
        Ok(answer)
    })
}

fn needs<T>(step: Step<T>) -> (Need, Ceremony<T>) {
    match step {
        Step::Needs(need, ceremony) => (need, ceremony),
        Step::Done(result) => panic!("over: {:?}", result.map(drop)),
    }
}

fn done<T>(step: Step<T>) -> Result<T, Cause> {
    match step {
        Step::Done(result) => result,
        Step::Needs(need, _) => panic!("needs {need:?}"),
    }
}

#[test]
fn inputs_lead_from_need_to_need_to_the_result() {
    let (need, ceremony) = needs(asks_for_pin_then_sends().start());
    assert_eq!(need, Need::Pin(PinNeed::default()));
    let (need, ceremony) = needs(ceremony.next(Input::Pin(String::from("1234").into())));
    assert_eq!(need, Need::Cbor(vec![0xbf]));
    let result = done(ceremony.next(Input::Response(vec![0x00, 0x41])));
    assert_eq!(result, Ok(b"A1234".to_vec()));
}

#[test]
fn an_input_that_does_not_fit_leaves_the_need_as_it_was() {
    let (need, ceremony) = needs(asks_for_pin_then_sends().start());
    let (again, ceremony) = needs(ceremony.next(Input::Response(vec![0])));
    assert_eq!(need, again);
    let (again, _) = needs(ceremony.next(Input::Passed));
    assert_eq!(need, again);
}

#[test]
fn an_account_beyond_the_list_does_not_fit() {
    let account = Account { user_id: vec![1], name: Some(String::from("a")), display_name: None };
    let accounts = vec![account.clone(), account];
    let list = accounts.clone();
    let ceremony = Ceremony::new(async move |desk: Desk| desk.account(&list).await);
    let (need, ceremony) = needs(ceremony.start());
    assert_eq!(need, Need::Account(accounts));
    let (_, ceremony) = needs(ceremony.next(Input::Account(2)));
    assert_eq!(done(ceremony.next(Input::Account(1))), Ok(1));
}

#[test]
fn giving_up_ends_the_ceremony_with_its_cause() {
    let (_, ceremony) = needs(asks_for_pin_then_sends().start());
    assert_eq!(done(ceremony.next(Input::Cancel)), Err(Cause::PinNotGiven));
}

#[test]
fn statuses_and_empty_responses_are_causes() {
    for (response, cause) in
        [(vec![0x2d], Cause::Refused(StatusCode::KEEPALIVE_CANCEL)), (vec![], Cause::EmptyResponse)]
    {
        let ceremony = Ceremony::new(async |desk: Desk| desk.command(Command::RESET).await);
        let (_, ceremony) = needs(ceremony.start());
        assert_eq!(done(ceremony.next(Input::Response(response))), Err(cause));
    }
}
