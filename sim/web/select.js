/* Which entries are shown, in which columns */
const ORDER = ["terminal", "pcscf", "icscf", "scscf", "hss", "IMS",
	       "appserver", "appserver2", "platform", "boss"];
const IMS = new Set(["pcscf", "icscf", "scscf", "hss"]);
const BASE_COMMAND = /^(CE|DW|DP)[RA]\b/;

const chosen = {
	collapse: false, viewof: "", inner: false, about: "",
	actors: new Set(), protocols: new Set() /* those switched off */
};

/* Of no interest to who follows the procedure */
function isInner(item)
{
	if (item.ids)
		return false;
	if (item.wire !== "event")
		return BASE_COMMAND.test(item.entry.summary);

	const name = item.entry.name;

	return name === "fsm" || name === "ready" ||
		/^(message|diameter)\./.test(name);
}

function columnOf(actor)
{
	return chosen.collapse && IMS.has(actor) ? "IMS" : actor;
}

function ends(item)
{
	if (item.isComing)
		return item.actors;

	return item.wire === "event" ? [item.entry.actor] :
		[item.entry.from, item.entry.to];
}

/* "uri" and "number" that an entry names; an answer over HTTP is about what
 * its request was about */
function readSubjects(items)
{
	const asked = new Map();

	for (const item of items) {
		const e = item.entry;
		const body = /"number"\s*:\s*"([^"]*)"/.exec(e.text || "");

		item.uri = e.impu || e.uri || "";
		item.number = item.wire === "event" ?
			(typeof e.number === "string" ? e.number :
			 /^(terminal\.ue|as\.binding)$/.test(e.machine) ? e.id :
			 "") : body ? body[1] : "";
		if (e.proto !== "http")
			continue;
		if (/^HTTP\//.test(e.text || "")) {
			const request = asked.get(e.dst + " " + e.src);

			item.uri = item.uri || (request ? request.uri : "");
			item.number = item.number ||
				(request ? request.number : "");
		} else {
			asked.set(e.src + " " + e.dst, item);
		}
	}
}

/* Each lease from its user's first word to the SIP-URI's being idle again */
function findLeases(items)
{
	const leases = [], open = new Map(), since = new Map();

	for (const item of items) {
		const e = item.entry;

		if (item.number && !since.has(item.number))
			since.set(item.number, item.n);
		if (e.name === "as.bound") {
			const lease = { key: "lease " + e.lease_id, uri: e.uri,
					number: e.number, id: e.lease_id,
					first: since.get(e.number), last: Infinity };

			leases.push(lease);
			open.set(e.uri, lease);
		} else if (e.name === "lease.state" && e.to === "idle" &&
			   open.has(e.uri)) {
			const lease = open.get(e.uri);

			lease.last = item.n;
			since.delete(lease.number);
			open.delete(e.uri);
		}
	}

	return leases;
}

function findCalls(items)
{
	const calls = new Set();

	for (const item of items)
		if (item.wire === "SIP" && /^INVITE /.test(item.entry.summary +
							   " "))
			calls.add(keysOf(item).call);

	return [...calls];
}

function isAbout(item, about)
{
	const lease = about.lease;

	if (about.call)
		return item.wire === "SIP" && keysOf(item).call === about.call;
	if (item.entry.lease_id === lease.id)
		return true;
	if (item.n < lease.first || item.n > lease.last)
		return false;

	return item.uri === lease.uri || item.number === lease.number;
}

function isShown(item, about)
{
	const parts = ends(item);

	if (!chosen.inner && isInner(item))
		return false;
	if (chosen.protocols.has(item.wire) ||
	    parts.some(p => chosen.actors.has(p)))
		return false;
	if (chosen.viewof && !parts.includes(chosen.viewof))
		return false;
	if (chosen.collapse && parts.length === 2 &&
	    parts.every(p => IMS.has(p)))
		return false;

	return !about || isAbout(item, about);
}

/* Columns in the figures' order, then whoever else takes part */
function findColumns(shown)
{
	const seen = new Set(shown.flatMap(ends).map(columnOf));

	return [...ORDER.filter(a => seen.has(a)),
		...[...seen].filter(a => !ORDER.includes(a))];
}
