//! Stage 4: a response that says "elsewhere" is followed. Judged by what every server on the way was asked, in order,
//! and by the one response that is printed.

mod final_ones;
mod methods;
mod property;
mod references;
mod targets;
pub(crate) mod web;

use harness::{Check, Context, Judged, Stage};

use crate::client;
use web::{Answer, Web};

pub(crate) const STAGE: Stage = Stage {
    number: 4,
    slug: "redirects",
    bonus: false,
    checks: &[
        Check::new("moved_pages_are_followed", moved_pages_are_followed)
            .points(3)
            .must("after 301 and 302 the page that Location names is asked for, and printed alone")
            .why("Pages move, and their old URLs live on in other pages, in mails and in programs."),
        Check::new("five_hops_are_followed_and_no_sixth", five_hops_are_followed_and_no_sixth)
            .points(3)
            .must("the target of the fifth redirect is asked for; a sixth is too-many-redirects, and is not followed")
            .why("A limit is where it is said to be: one less fails on good sites, and none at all on bad ones."),
        Check::new("only_the_number_of_hops_ends_a_loop", only_the_number_of_hops_ends_a_loop)
            .points(2)
            .must("a page may redirect to itself; what goes on in circles ends as too-many-redirects")
            .why("Servers answer the same URL differently the second time. An endless chain need not repeat itself either."),
        Check::new("references_lead_where_the_standard_says", references::references_lead_where_the_standard_says)
            .points(3)
            .must("Location is resolved against the URL that was asked for, as RFC 3986 says: `?q`, `/x`, `x`, `../x`")
            .why("Servers send all of these forms, and one that leads to the wrong page looks like a fault of the server."),
        Check::new("each_hop_starts_where_the_last_one_ended", references::each_hop_starts_where_the_last_one_ended)
            .points(2)
            .must("a relative Location is meant from the URL that it came for, not from the first one")
            .why("In a chain each server knows its own page, and nothing of the one that the user typed."),
        Check::new("another_server_is_asked_by_its_own_name", targets::another_server_is_asked_by_its_own_name)
            .points(3)
            .must("`http://host:port/x` and `//host:port/x` go to that server, with its name and port in Host")
            .why("What is left over from the last server finds the wrong site, or tells one site about another."),
        Check::new("what_stays_at_home_stays_there", targets::what_stays_at_home_stays_there)
            .must("the fragment of a Location is not sent, and its user name neither")
            .why("They are for the reader of the URL. A server that gets them has no such page."),
        Check::new("a_target_that_is_no_url_is_refused", targets::a_target_that_is_no_url_is_refused)
            .points(2)
            .must("a Location with another scheme, no host or no port that there is, is refused as such a URL is")
            .why("A server chooses it: one that could send a client to file: or to a guess could send it anywhere."),
        Check::new("no_byte_of_a_location_ends_a_line", targets::no_byte_of_a_location_ends_a_line)
            .points(3)
            .must("control characters and spaces in a Location are refused; bytes from 128 on are escaped or refused")
            .why("What a server puts there, the client would write into a request to somebody else."),
        Check::new("without_a_location_a_redirect_is_final", final_ones::without_a_location_a_redirect_is_final)
            .points(2)
            .must("a redirect whose Location is missing or empty is printed like any other response")
            .why("It is an answer, and often has a page for people to read."),
        Check::new("only_redirects_are_followed", final_ones::only_redirects_are_followed)
            .points(2)
            .must("200, 201, 300, 304, 305, 306 and 404 are final, whatever Location says")
            .why("201 names what was made, 304 what is cached: Location means something else in each of them."),
        Check::new("a_redirects_body_is_nobodys", final_ones::a_redirects_body_is_nobodys)
            .points(2)
            .must("a redirect's body is not printed, and need neither be whole nor have an end")
            .why("It is for those who do not follow. To wait for its end is to let a server decide when to go on."),
        Check::new("a_post_becomes_a_get_or_stays_whole", methods::a_post_becomes_a_get_or_stays_whole)
            .points(3)
            .must("after 301 and 302 a POST becomes a GET without body and Content- fields, or stays a POST with all")
            .why("A GET with a length is waited for; a POST without its body does something that nobody asked for."),
        Check::new("303_307_and_308_have_their_own_rules", methods::three_more_have_their_own_rules)
            .points(2)
            .must("303 makes a GET, 307 and 308 change nothing; or these three are printed as they are")
            .why("They were added because of 301 and 302, of which nobody knew any more what they meant for a POST."),
        Check::new("any_chain_is_walked_to_its_end", property::any_chain_is_walked_to_its_end)
            .points(3)
            .must("any chain of up to five redirects, of any form, is walked request by request to its end")
            .why("Each form works alone. What is left over from one hop shows in the next."),
    ],
};

/// Servers on 127.0.0.1, each on a port of its own.
#[track_caller]
fn web_of(context: &Context, servers: usize) -> Judged<Web> {
    Web::open((0..servers).map(|_| context.origin()).collect())
}

fn moved_pages_are_followed(context: &Context) -> Judged {
    let web = web_of(context, 2)?;
    let url = web.server(0).url("/old");
    for status in [301, 302] {
        for location in ["Location: ", "location:", "LOCATION: \t", "lOcAtIoN:  "] {
            let moved = Answer::new(format!(
                "HTTP/1.1 {status} Moved\r\n{location}/new \r\nContent-Length: 0\r\n\r\n"
            ));
            let trip = web.run(client::get(context, &url)?, &[moved])?;
            trip.arrives(&[web.stop("GET", 0, "/old"), web.stop("GET", 0, "/new")])?;
        }
        // What stands at the end is an answer, whatever its status.
        let answers = [Answer::redirect(status, &web.server(1).url("/new")), Answer::page(404, b"gone")];
        let trip = web.run(client::get(context, &url)?, &answers)?;
        trip.went(&[web.stop("GET", 0, "/old"), web.stop("GET", 1, "/new")])?;
        trip.is(404, b"gone")?;
    }
    Ok(())
}

fn five_hops_are_followed_and_no_sixth(context: &Context) -> Judged {
    let web = web_of(context, 2)?;
    let page = |number: usize| format!("/{number}");
    let redirects: Vec<_> = (1..=8)
        .map(|number| {
            let status = if number % 3 == 0 { 302 } else { 301 };
            Answer::redirect(status, &web.server(number % 2).url(&page(number)))
        })
        .collect();
    let stops: Vec<_> = (0..=5).map(|number| web.stop("GET", number % 2, &page(number))).collect();
    let url = web.server(0).url("/0");
    web.run(client::get(context, &url)?, &redirects[..5])?.arrives(&stops)?;
    let trip = web.run(client::get(context, &url)?, &redirects)?;
    trip.went(&stops)?;
    trip.fails_as(&["too-many-redirects"])?;

    // A sixth one that leads nowhere would not have to be followed.
    let end = Answer::new("HTTP/1.1 302 Found\r\nContent-Length: 3\r\n\r\nend");
    let trip = web.run(client::get(context, &url)?, &[&redirects[..5], &[end]].concat())?;
    trip.went(&stops)?;
    trip.is(302, b"end").map(drop)
}

fn only_the_number_of_hops_ends_a_loop(context: &Context) -> Judged {
    let web = web_of(context, 2)?;
    let url = web.server(0).url("/a");
    let a = web.stop("GET", 0, "/a");
    let to_itself = Answer::redirect(302, "/a");
    let trip = web.run(client::get(context, &url)?, &[to_itself.clone(), to_itself.clone()])?;
    trip.arrives(&[a.clone(), a.clone(), a.clone()])?;
    let there_and_back =
        [Answer::redirect(301, &web.server(1).url("/b")), Answer::redirect(302, &web.server(0).url("/a"))];
    let trip = web.run(client::get(context, &url)?, &there_and_back)?;
    trip.arrives(&[a.clone(), web.stop("GET", 1, "/b"), a])?;

    // Nobody has to go round a hundred times; whoever does has no limit.
    for circle in [[to_itself.clone(), to_itself], there_and_back] {
        let answers: Vec<_> = circle.iter().cycle().take(100).cloned().collect();
        let trip = web.run(client::get(context, &url)?, &answers)?;
        trip.fails_as(&["too-many-redirects"])?;
    }
    Ok(())
}
