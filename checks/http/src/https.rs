//! Stage 5: the same bytes under TLS. A server that cannot prove who it is has to be refused before it gets a byte of
//! the request: that is seen at the server, and each of the proofs has a check of its own.

mod certificates;
mod ends;
mod handshake;
mod hops;
mod identity;
mod streams;

use harness::{Check, Stage};

pub(crate) const STAGE: Stage = Stage {
    number: 5,
    slug: "https",
    bonus: false,
    checks: &[
        Check::new("requests_and_responses_go_through_tls", handshake::requests_and_responses_go_through_tls)
            .points(3)
            .must("GET and POST over TLS 1.2 and over TLS 1.3 are as without TLS; the server is trusted by --ca")
            .why("TLS carries a stream of bytes. What is in it is the same HTTP."),
        Check::new("the_name_has_to_be_in_the_certificate", identity::the_name_has_to_be_in_the_certificate)
            .points(3)
            .must("a certificate for another name is refused as tls, before a byte of the request is sent")
            .why("Anybody can have a good certificate: for his own name. Without this check it opens every door."),
        Check::new("a_star_stands_for_one_label", identity::a_star_stands_for_one_label)
            .must("*.site.test is the name of www.site.test, and neither of site.test nor of a.b.site.test")
            .why("Who runs one site of a domain does not run the others, and what is above or below it even less."),
        Check::new("the_default_port_is_443", identity::the_default_port_is_443)
            .must("https://host connects to port 443; Host has the port when it is another scheme's default, and not when it is its own")
            .why("A client that knows one default port talks TLS to a server that does not, at every URL that people write."),
        Check::new("an_address_has_to_be_in_the_certificate", identity::an_address_has_to_be_in_the_certificate)
            .points(2)
            .must("https://127.0.0.1 needs a certificate for that address, and not one for a name")
            .why("An address is no name that looks odd: it is compared with the addresses in the certificate."),
        Check::new("the_chain_has_to_end_at_a_trusted_root", certificates::the_chain_has_to_end_at_a_trusted_root)
            .points(3)
            .must("unknown roots, self-signed certificates and chains with a gap are refused as tls, nothing sent")
            .why("Whoever is in the way can make a certificate with any name in it. A root's signature is what he has not."),
        Check::new("the_dates_have_to_hold", certificates::the_dates_have_to_hold)
            .points(2)
            .must("certificates that are expired or not yet valid are refused as tls, nothing sent")
            .why("Old keys get lost and stolen, and dates are the only end that every client gets to know of."),
        Check::new("the_server_has_to_have_the_key", certificates::the_server_has_to_have_the_key)
            .points(2)
            .must("a server that shows a good certificate without having its key is refused as tls, nothing sent")
            .why("Certificates are public. What proves who somebody is, is a signature that only he can make."),
        Check::new("intermediates_that_are_sent_are_used", certificates::intermediates_that_are_sent_are_used)
            .points(2)
            .must("a chain through the intermediates that the server sends is accepted")
            .why("Roots sign few certificates, and are kept in a vault. Nearly every server has its own from below."),
        Check::new("every_root_in_the_file_is_trusted", certificates::every_root_in_the_file_is_trusted)
            .must("--ca FILE may hold several certificates, with text between them; each is a root")
            .why("Files of roots hold all the roots there are, with a line above each that says whose it is."),
        Check::new("the_server_is_told_its_name", handshake::the_server_is_told_its_name)
            .points(2)
            .must("the handshake names the host of the URL (SNI); for an address it names none")
            .why("One address has many sites with a certificate each. The server has to choose before it sees Host."),
        Check::new("nothing_is_offered_that_is_not_spoken", handshake::nothing_is_offered_that_is_not_spoken)
            .must("ALPN is absent, or offers http/1.1 alone")
            .why("A server that is offered h2 takes it, and then speaks in binary."),
        Check::new("who_speaks_no_tls_is_refused", handshake::who_speaks_no_tls_is_refused)
            .must("a server that does not speak TLS is refused as tls (io and truncated fit too), and gets no request in the clear")
            .why("To go on without TLS is what somebody in the way would wish for."),
        Check::new("http_leads_to_https", hops::http_leads_to_https)
            .points(2)
            .must("a redirect from http to https is followed; from https to http it is followed or refused")
            .why("It is the most frequent redirect of all."),
        Check::new("every_hop_is_verified_anew", hops::every_hop_is_verified_anew)
            .points(3)
            .must("after a redirect name, SNI and certificate are those of the new server; a bad one is refused")
            .why("That one server was who it said it was tells nothing about the next."),
        Check::new("a_known_end_needs_no_goodbye", ends::a_known_end_needs_no_goodbye)
            .points(2)
            .must("a body of known length is complete with its last byte, close_notify or not")
            .why("Many servers just close. Who counts bytes has nothing to fear from that."),
        Check::new("an_end_without_goodbye_is_truncated", ends::an_end_without_goodbye_is_truncated)
            .points(3)
            .must("a body up to the close is complete with close_notify alone; without it, it is truncated (or tls)")
            .why("Anybody on the way can end a TCP connection, and so choose where a page ends. close_notify he cannot forge."),
        Check::new("borders_of_records_mean_nothing", streams::borders_of_records_mean_nothing)
            .points(2)
            .must("a response is the same in one record of TLS, in many, and in one for every byte")
            .why("Records are one more place where a stream is cut, and one more buffer that may hold the rest."),
        Check::new("a_large_post_goes_through_tls", streams::a_large_post_goes_through_tls)
            .points(2)
            .must("a POST of a MiB arrives whole over TLS")
            .why("A session takes as much as it has room for. What it has not taken is still the writer's to send."),
        Check::new("a_body_streams_through_tls", streams::a_body_streams_through_tls)
            .points(2)
            .must("what has arrived is shown at once, and 64 MiB need less than 32 MiB of memory, over TLS too")
            .why("A layer more is no reason to wait, or to keep what has been passed on."),
    ],
};
