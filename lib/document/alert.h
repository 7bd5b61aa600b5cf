/*
 * alert: documents about a SYN: alert, near miss, rotation, campaign, connection.
 *
 * Each function adds to a begun document what is its own: the rest of event.*, into `group`, and
 * the other groups up to observer.*.
 */
#pragma once

#include "document/document.h"
#include "document/identity.h"

/* rule.name and message of a rotation, which is no rule of the set. */
#define PT_ALERT_ROTATION "DNS Calculation: several calculated destinations of one client"

/* The same of a campaign. */
#define PT_ALERT_CAMPAIGN "DNS Calculation: several clients with something in common"

/* event.action, which is a part of what event.id is made of */
#define PT_ALERT_ACTION "dns_calculation_port_match"
#define PT_ALERT_ROTATION_ACTION "dns_calculation_rotation"
#define PT_ALERT_CAMPAIGN_ACTION "dns_calculation_campaign"
#define PT_ALERT_OUTCOME_ACTION "connection_outcome"

/* event.id of an ALERT, a ROTATION or a CAMPAIGN. Returns `ret`. */
const char *pt_alert_id(const struct pt_event *event, char ret[PT_IDENTITY_TEXT]);

/* ALERT and NEAR_MISS */
void pt_alert_match(struct pt_document *doc, const struct pt_event *event, json_t *group,
                    const char *action);
void pt_alert_rotation(struct pt_document *doc, const struct pt_event *event, json_t *group,
                       const char *action);
void pt_alert_campaign(struct pt_document *doc, const struct pt_event *event, json_t *group,
                       const char *action);
void pt_alert_outcome(struct pt_document *doc, const struct pt_event *event, json_t *group,
                      const char *action);
void pt_alert_connection(struct pt_document *doc, const struct pt_event *event, json_t *group,
                         const char *action);
