/*
 * clients: who is known, what each is charged with, and who gives way (design 8).
 */
#pragma once

#include "memory/cells.h"

uint32_t pt_clients_find(const struct pt_hosts *hosts, const struct pt_address *address);

/* Known or new; 0 if there is no cell for a new one. */
uint32_t pt_clients_make(struct pt_hosts *hosts, const struct pt_address *address);

/* It is given an answer now: it is the last to be thought idle. */
void pt_clients_refresh(struct pt_hosts *hosts, uint32_t link, int64_t now);
void pt_clients_prove(struct pt_hosts *hosts, uint32_t link);

/* Charge the client with an answer that is linked in, or take its charge back. */
void pt_clients_charge(struct pt_hosts *hosts, uint32_t link, uint32_t cells, bool asked);

/* Unlink an answer with its resolutions and names. Returns how many resolutions it had. */
uint32_t pt_clients_drop_answer(struct pt_hosts *hosts, uint32_t answer);

/* One of the proven clients charged with most, by class; 0 if there is none. */
uint32_t pt_clients_top(struct pt_hosts *hosts);

/* Forget the client, which holds no answer. */
void pt_clients_forget(struct pt_hosts *hosts, uint32_t link);

/* Forget its answers that can count no more at `now`, a few at a time. */
void pt_clients_expire(struct pt_hosts *hosts, uint32_t link, int64_t now);

/*
 * Make sure that `cells` cells are free for an answer to this client. False if nobody may be made
 * to give way for it.
 */
bool pt_clients_make_room(struct pt_hosts *hosts, uint32_t link, uint32_t cells, bool asked,
                          int64_t now);

/* A client's fair share of the cells: what each proven one that holds any would have. */
uint32_t pt_clients_share(const struct pt_hosts *hosts);
