/** @file sim_pcapng_block.h  Blocks of a pcapng file (draft-ietf-opsawg-pcapng)
 *
 * What every capture has in common, whatever its packets are. Whether all could
 * be written is asked of the FILE at the end, by ferror().
 */
#ifndef SIPSHARE_SIM_PCAPNG_BLOCK_H
#define SIPSHARE_SIM_PCAPNG_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** A block being made; zeroed to begin with, empty after each write */
struct sim_block {
	unsigned char *data;
	size_t len, max;
};

/** What packets are of: an interface's link type and clock */
struct sim_block_link {
	uint16_t type;        /**< of LINKTYPE_… */
	uint32_t snap_len;    /**< 0: no limit */
	const char *name;     /**< "lo"; NULL: not said */
	const char *filter;   /**< as libpcap writes it; NULL: none */
	unsigned char digits; /**< of a second's fraction: 6 or 9 */
};

/** One packet; data is borrowed */
struct sim_block_packet {
	uint64_t time; /**< in the link's unit, since 1970 */
	const void *data;
	size_t len;
	size_t wire_len; /**< len or more, if it was cut */
};

void sim_block_clear(struct sim_block *b);
void sim_block_put(struct sim_block *b, const void *data, size_t len);
void sim_block_put_u16(struct sim_block *b, uint16_t value);
void sim_block_put_u32(struct sim_block *b, uint32_t value);

void sim_block_write_section(struct sim_block *b, const char *comment, FILE *f);
void sim_block_write_link(struct sim_block *b,
			  const struct sim_block_link *link, FILE *f);
void sim_block_write_packet(struct sim_block *b,
			    const struct sim_block_packet *packet, FILE *f);
void sim_block_write_statistics(struct sim_block *b, uint64_t time,
				const uint64_t counts[2], FILE *f);
int sim_block_write_secrets(struct sim_block *b, FILE *keys, FILE *f);

#endif
