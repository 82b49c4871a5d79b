#include "sim/sim_packets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "sim/sim.h"
#include "sim/sim_pcapng_block.h"

/* The kernel fills blocks of its ring, and gives one over when it is full or
 * BLOCK_MS old. In libpcap's immediate mode each packet takes a slot of the
 * greatest size instead, 64 kB here: of 3000 packets of 500 bytes 2492 were
 * lost in the same 32 MB */
enum {
	RING_LEN = 32 << 20,
	SNAP_LEN = 262144, /* whole packets: the interface's MTU is 65536 */
	BLOCK_MS = 20,
	DRAIN_MS = 2000, /* far more than BLOCK_MS: the machine may be busy */
	COPY_LEN = 1 << 16,
	FILTER_LEN = 32
};

/** Owned by the run */
struct sim_packets {
	pcap_t *pcap;
	struct loop_watch *watch;
	FILE *spool; /* packets, as blocks; has no name any more */
	struct sim_block block;
	char filter[FILTER_LEN];
	struct pcap_stat before; /* of packets that came before the filter */
	uint64_t received, seen, lost;
	char *loss; /* what there is to say of it; NULL: nothing is missing */
	int err;    /* errno of a failed write into the spool */
};

static char *why_not(pcap_t *pcap, int status)
{
	char *dir, *reason;

	if (status != PCAP_ERROR_PERM_DENIED)
		return xasprintf("packets cannot be captured at lo: %s (%s)",
				 pcap_statustostr(status), pcap_geterr(pcap));
	dir = sim_bin_dir();
	reason = xasprintf("capturing packets needs CAP_NET_RAW: run as root, "
			   "or: sudo setcap cap_net_raw+ep %s/sipshare (a "
			   "container wants --cap-add NET_RAW)",
			   dir);
	free(dir);

	return reason;
}

/* libpcap and not a packet socket of our own: it has the ring's layout, the
 * filter's compiler and their traps behind it */
static int open_live(pcap_t **pp, char **reasonp)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_create("lo", text);
	int status;

	if (!pcap) {
		*reasonp =
			xasprintf("packets cannot be captured at lo: %s", text);
		return EIO;
	}
	(void)pcap_set_snaplen(pcap, SNAP_LEN);
	(void)pcap_set_timeout(pcap, BLOCK_MS);
	(void)pcap_set_buffer_size(pcap, RING_LEN);
	status = pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
	if (!status)
		status = pcap_activate(pcap);
	if (status < 0) { /* above 0 are warnings */
		*reasonp = why_not(pcap, status);
		pcap_close(pcap);
		return status == PCAP_ERROR_PERM_DENIED ? EPERM : EIO;
	}
	*pp = pcap;

	return 0;
}

/** Can this process capture? 0, or EPERM and what else there is, and a reason
 * that says how; the caller's to free */
int sim_packets_check(char **reasonp)
{
	pcap_t *pcap;
	int err = open_live(&pcap, reasonp);

	if (!err)
		pcap_close(pcap);

	return err;
}

/* Of what passes at lo, take what is of the run's network, once */
static int narrow(struct sim_packets *packets, char **reasonp)
{
	int fd = pcap_fileno(packets->pcap), one = 1, err = 0;
	struct bpf_program program = { 0, NULL };
	char text[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = packets->pcap;

	/* at lo each packet is seen leaving and coming. The filter's word
	 * "inbound" would do it too, but loses the ring's first block, which
	 * libpcap filters by itself and cannot know the direction of */
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		       sizeof(one)) < 0) {
		err = errno;
		(void)snprintf(text, sizeof(text), "%s", strerror(err));
	} else if (pcap_compile(pcap, &program, packets->filter, 1,
				PCAP_NETMASK_UNKNOWN) ||
		   pcap_setfilter(pcap, &program) ||
		   pcap_stats(pcap, &packets->before)) {
		err = EIO;
		(void)snprintf(text, sizeof(text), "%s", pcap_geterr(pcap));
	} else if (pcap_setnonblock(pcap, 1, text) < 0) {
		err = EIO;
	}
	pcap_freecode(&program);
	if (err)
		*reasonp =
			xasprintf("packets cannot be captured at lo: %s", text);

	return err;
}

/* Packets go to the disk as they come, however long the run is: the secrets,
 * which stand before them in the file, are known only at its end */
static int open_spool(struct sim_packets *packets, const char *dir,
		      char **reasonp)
{
	char *path = xasprintf("%s/packets", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int err = 0;

	if (fd >= 0)
		packets->spool = fdopen(fd, "r+");
	if (!packets->spool) {
		err = errno;
		*reasonp =
			xasprintf("cannot write %s: %s", path, strerror(err));
	}
	if (err && fd >= 0)
		close(fd);
	(void)unlink(path);
	free(path);

	return err;
}

static void on_packet(u_char *arg, const struct pcap_pkthdr *head,
		      const u_char *data)
{
	struct sim_packets *packets = (struct sim_packets *)arg;
	const struct sim_block_packet packet = {
		/* nanoseconds, as they were asked for */
		.time = (uint64_t)head->ts.tv_sec * 1000000000 +
			(uint64_t)head->ts.tv_usec,
		.data = data,
		.len = head->caplen,
		.wire_len = head->len,
	};

	sim_block_write_packet(&packets->block, &packet, packets->spool);
	if (ferror(packets->spool) && !packets->err)
		packets->err = errno;
	packets->seen++;
}

static void read_some(struct sim_packets *packets)
{
	enum { TURN_MAX = 4096 };

	if (pcap_dispatch(packets->pcap, TURN_MAX, on_packet,
			  (u_char *)packets) >= 0)
		return;

	packets->watch = loop_unwatch(packets->watch);
	if (!packets->loss)
		packets->loss = xasprintf("the capture broke off: %s",
					  pcap_geterr(packets->pcap));
}

static void on_readable(void *arg)
{
	read_some(arg);
}

/**
 * Capture from now on
 *
 * @param number N of the network 127.N.0.0/16
 * @param dir    The run's folder
 *
 * @return 0, or why not: then reasonp says it
 */
int sim_packets_new(struct sim_packets **pp, struct loop *loop, int number,
		    const char *dir, char **reasonp)
{
	struct sim_packets *packets = xcalloc(1, sizeof(*packets));
	int err = open_live(&packets->pcap, reasonp);

	(void)snprintf(packets->filter, FILTER_LEN, "net 127.%d.0.0/16",
		       number);
	if (!err)
		err = narrow(packets, reasonp);
	if (!err)
		err = open_spool(packets, dir, reasonp);
	if (err) {
		sim_packets_free(packets);
		return err;
	}
	packets->watch =
		loop_watch_fd(loop, pcap_get_selectable_fd(packets->pcap),
			      LOOP_READ, on_readable, packets);
	*pp = packets;

	return 0;
}

/** Free it; gives NULL */
struct sim_packets *sim_packets_free(struct sim_packets *packets)
{
	if (!packets)
		return NULL;

	loop_unwatch(packets->watch);
	if (packets->pcap)
		pcap_close(packets->pcap);
	if (packets->spool)
		(void)fclose(packets->spool);
	sim_block_clear(&packets->block);
	free(packets->loss);
	free(packets);

	return NULL;
}

/* Read what is still in the kernel's ring: as much as it has counted by now,
 * as others may go on to send */
static void drain(struct sim_packets *packets)
{
	struct pollfd ring = { pcap_get_selectable_fd(packets->pcap), POLLIN,
			       0 };
	struct pcap_stat now = packets->before;
	uint64_t wanted;

	(void)pcap_stats(packets->pcap, &now);
	packets->received = now.ps_recv - packets->before.ps_recv;
	wanted = packets->received - (now.ps_drop - packets->before.ps_drop);
	while (packets->watch && packets->seen < wanted &&
	       poll(&ring, 1, DRAIN_MS) > 0)
		read_some(packets);
	if (packets->seen < packets->received)
		packets->lost = packets->received - packets->seen;
}

/** No element sends any more: end the capture. Blocks, for BLOCK_MS or so */
void sim_packets_finish(struct sim_packets *packets)
{
	drain(packets);
	packets->watch = loop_unwatch(packets->watch);
	if (packets->lost && !packets->loss)
		packets->loss = xasprintf(
			"the capture lost %llu of %llu packets: the machine "
			"was too busy",
			(unsigned long long)packets->lost,
			(unsigned long long)packets->received);
}

/** A sentence about what the capture has not; NULL: it is whole */
const char *sim_packets_loss(const struct sim_packets *packets)
{
	return packets->loss;
}

static void copy(FILE *from, FILE *to)
{
	char *data = xcalloc(1, COPY_LEN);
	size_t len;

	rewind(from);
	while ((len = fread(data, 1, COPY_LEN, from)) > 0)
		fwrite(data, 1, len, to);
	free(data);
}

/**
 * Write capture.pcapng, after sim_packets_finish()
 *
 * @param keys The elements' key log; NULL: they have none
 *
 * @return 0, or errno of what could not be read or written
 */
int sim_packets_write(struct sim_packets *packets, FILE *keys, FILE *f)
{
	const struct sim_block_link link = {
		.type = (uint16_t)pcap_datalink(packets->pcap),
		.snap_len = SNAP_LEN,
		.name = "lo",
		.filter = packets->filter,
		.digits = 9,
	};
	const uint64_t counts[] = { packets->received, packets->lost };
	int err = packets->err;

	sim_block_write_section(&packets->block, packets->loss, f);
	sim_block_write_link(&packets->block, &link, f);
	if (!err && fflush(packets->spool))
		err = errno;
	if (!err && keys)
		err = sim_block_write_secrets(&packets->block, keys, f);
	copy(packets->spool, f);
	sim_block_write_statistics(&packets->block,
				   (uint64_t)clock_wall_us() * 1000, counts, f);
	if (!err && (fflush(f) || ferror(f) || ferror(packets->spool)))
		err = errno ? errno : EIO;

	return err;
}
