"""The branches of design section 4 that the model counts as it takes them."""

# A name that is not here is refused, so none is misspelt.
BRANCHES = """
4.1 answer in time though after the SYN
4.1 answer too late for the SYN
4.1 answer exactly reorder after the SYN
4.1 SYN overtakes another in the line
4.1 equal times in the line
4.1 SYN that is already late
4.1 end of input flushes
4.1 full line
4.2 SYN judged
4.2 copy
4.2 copy after exactly two minutes
4.2 later than two minutes, judged again
4.2 copy before its first
4.3 excluded port
4.3 port outside the band
4.3 private destination
4.3 port 0
4.3 NAT64 destination
4.3 dns_confirmed
4.3 address rule
4.3 address rule, candidates before it
4.3 address rule, destination was given
4.3 address rule, answer is its own swap
4.3 address rule, private result
4.3 dns_other_address 73
4.3 dns_other_address 47
4.3 dns_other_address 21
4.3 dns_other_address, candidates before it
4.3 dns_other_address, a contacted hit is passed
4.3 dns_other_address, IPv6 destination
4.3 dns_other_address, address from NAT64
4.3 dns_other_address, private address
4.3 exactly cross_window
4.3 beyond cross_window
4.3 dns_other_client
4.3 port_only
4.3 both ways within a rule, the other address wins
4.3 both ways within a rule, the same address wins
4.4 not inside, other client
4.4 not inside, no evidence
4.4 inside by its network
4.4 inside by an answer
4.5 contacted by SYN
4.5 contacted by QUIC
4.5 a copy contacts
4.5 inherits a contact
4.5 the older counts no more, nothing inherited
4.5 name contacted
4.5 name contacted, in other letters
4.5 name contacted, over its other address
4.5 name not contacted
4.5 contacted at this very time only
4.5 contacted longer than a window ago
4.6 one rule
4.6 severity decides
4.6 verdict decides
4.6 chance decides
4.6 name decides
4.6 three rules
4.7 TTL beyond the window
4.7 TTL capped by max_window
4.7 TTL with the top bit
4.7 TTL of 0
4.7 expired
4.7 at its last moment
4.7 newest of several
4.3 an answer behind the SYN, and one before it
4.7 answer copy
4.7 answer copy after exactly a second
4.7 answer again after a second
4.7 answer of several addresses
4.7 answer without address
4.7 answer to nobody
4.8 asked
4.8 asked, in other letters
4.8 not asked
4.8 query exactly 30 s old
4.8 query too old
4.8 query to another resolver, port, id or name
4.9 counted once more
4.9 alert at 2
4.9 alert at 4
4.9 alert at 8
4.9 alert at 16 or more
4.9 alert though the match is held
4.9 same /24 or port
4.9 joint chance too high
5 lowered by luck
5 unasked answers are no candidates
5 an unasked hit is passed
5 an unasked hit, and one that was asked for and contacted
5 what was asked for and contacted weighs more
5 a contact of what nobody asked for is passed
5 address rule, destination was given by what nobody asked for
4.9 already announced
4.9 nothing left, announced again from 1
4.9 the oldest of 64 goes
4.10 first alert
4.10 a sweep of a network
4.10 DNS evidence after an alert without
4.10 DNS evidence beside an alert without
4.10 no DNS evidence any more
4.10 held
4.10 higher severity passes
4.10 higher severity passes with a count
4.10 hold doubles
4.10 hold doubles with a count
4.10 exactly at the end of a hold
4.10 hold of a day
4.10 lower severity after a hold
4.10 forgotten
4.10 forgotten with a count
4.10 end of run with a count
4.11 twin's evidence is the best
4.11 own evidence wins over a twin's as good
4.11 destination given to a twin
4.11 name contacted by a twin
4.11 contact of a twin's resolution
4.11 inside by a twin
4.11 more than eight addresses
4.11 exactly eight addresses
4.11 an address was forgotten
4.11 exactly max_window
4.11 a twin that received no answer
4.12 first packet
4.12 in order
4.12 same time
4.12 late
4.12 exactly a second late
4.12 exactly max_window ahead
4.12 one packet from the past
4.12 one packet from the future
4.12 new epoch
4.12 jump ahead
4.12 jump of more than four days
4.12 the input ends on a step
4.12 step after step
campaign: a client is a day old
campaign: a client that is known by its twin
campaign: several levels at once
campaign: told already by what is more telling
campaign: by name
campaign: by destination
campaign: by rule
campaign: a rule's severity that four reach
""".strip().splitlines()
