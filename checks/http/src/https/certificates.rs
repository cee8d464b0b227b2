//! Who vouches for a server, for how long, and whether it is the one that was vouched for.

use harness::{
    Context, Judged,
    origin::certificate::{Authority, Identity, Leaf, Validity, Versions},
    verdict::Verdict,
};

use super::identity::{Meeting, World, serve};
use crate::{client, server};

/// A certificate that is right but for what a check is about.
fn leaf() -> Leaf {
    Leaf::new(&["localhost"])
}

pub(super) fn the_chain_has_to_end_at_a_trusted_root(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    let likely = "who signed the certificate is not looked at";
    // Of the same name as the one that is trusted: a name is no signature.
    let mut stranger = Authority::root("Groundwork test root")?;
    let mut below = world.root.intermediate("Groundwork test intermediate")?;
    let mut of_a_server = world.root.misuse(&Leaf::new(&["other.example"]))?;
    for (what, identity) in [
        ("that it signed itself", Identity::self_signed(&leaf())?),
        ("by a root that nobody knows", stranger.issue(&leaf())?),
        ("by an intermediate, whose own it does not send", below.issue_alone(&leaf())?),
        ("by the server of other.example, which is no authority", of_a_server.issue(&leaf())?),
    ] {
        world.refused(&Meeting { what, identity: &identity, host: "localhost", likely })?;
    }
    // Without --ca nobody knows this root, and with another one neither.
    let identity = world.root.issue(&leaf())?;
    let what = "by a root that the client was not told of";
    let meeting = Meeting { what, identity: &identity, host: "localhost", likely };
    world.refused_by(&meeting, |url| client::get(context, url))?;
    world.refused_by(&meeting, |url| client::get(context, url)?.trusting(&stranger))?;
    world.refused_by(&meeting, |url| client::post(context, url, b"secret"))
}

pub(super) fn the_dates_have_to_hold(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    let mut below = world.root.intermediate_valid("Groundwork test intermediate", Validity::Expired)?;
    for (what, identity) in [
        ("that expired yesterday", world.root.issue(&leaf().valid(Validity::Expired))?),
        ("that holds from tomorrow on", world.root.issue(&leaf().valid(Validity::NotYet))?),
        ("by an intermediate whose own expired yesterday", below.issue(&leaf())?),
    ] {
        let likely = "the dates in certificates are not looked at";
        world.refused(&Meeting { what, identity: &identity, host: "localhost", likely })?;
    }
    Ok(())
}

pub(super) fn the_server_has_to_have_the_key(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    for (versions, version) in [(Versions::Only12, "1.2"), (Versions::Only13, "1.3")] {
        let identity = world.root.issue_without_key(&leaf(), versions)?;
        world.refused(&Meeting {
            what: &format!("that is somebody else's, over TLS {version}: it has not got the key"),
            identity: &identity,
            host: "localhost",
            likely: "the server's signature of the handshake is not verified",
        })?;
    }
    Ok(())
}

pub(super) fn intermediates_that_are_sent_are_used(context: &Context) -> Judged {
    let world = World::new(context)?;
    let mut below = world.root.intermediate("Groundwork test intermediate")?;
    let mut further_below = below.intermediate("Groundwork test intermediate of the intermediate")?;
    for (what, identity) in [
        ("below one intermediate, and that one's", below.issue(&leaf())?),
        ("below two intermediates, and theirs", further_below.issue(&leaf())?),
    ] {
        world.accepted(&Meeting { what, identity: &identity, host: "localhost", likely: "" })?;
    }
    Ok(())
}

pub(super) fn every_root_in_the_file_is_trusted(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    let mut other = Authority::root("Groundwork other test root")?;
    let file = format!("The first root:\n{}\n# and another one\n{}", world.root.pem(), other.pem());
    for (identity, which) in [(world.root.issue(&leaf())?, "first"), (other.issue(&leaf())?, "second")] {
        let origin = serve(context, &identity, &server::closing("hello"))?;
        let told = [format!("the server's certificate is by the {which} of two roots in the file")];
        let run = client::get(context, &origin.url_as("localhost", "/"))?.ca_file(&file)?.against(told);
        run.outcome()?.is(200, b"hello")?;
    }
    // What is no file of roots ends the run, in whatever way, and in good order.
    let identity = world.root.issue(&leaf())?;
    let origin = serve(context, &identity, &server::closing("hello"))?;
    for text in ["", "no certificate\n", &world.root.pem().replace("MII", "***")] {
        let run = client::get(context, &origin.url_as("localhost", "/"))?.ca_file(text)?;
        match run.outcome() {
            Ok(outcome) => outcome.fails_as(&["io", "tls"]).map(drop)?,
            Err(halt) if matches!(&halt.verdict, Verdict::Crash { how } if how == "exited with status 2") => {
            }
            Err(halt) => return Err(halt),
        }
    }
    Ok(())
}
