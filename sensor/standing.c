#include "standing.h"

#include <stdio.h>
#include <string.h>

const struct pt_standing_notice pt_standing_notices[PT_NOTICE_KINDS] = {
        [PT_NOTICE_LINK_DOWN] = {"link_down", "link_down", "failure", true, false},
        [PT_NOTICE_LINK_UP] = {"link_up", "link_down", "success", false, true},
        [PT_NOTICE_CAPTURE_LOST] = {"capture_failed", "capture_failed", "failure", true, false},
        [PT_NOTICE_CAPTURE_RESUMED] = {"capture_resumed", "capture_failed", "success", false, true},
        [PT_NOTICE_OUTPUT_TROUBLE] = {"output_failed", "output_failed", "failure", true, false},
        [PT_NOTICE_OUTPUT_RECOVERED] = {"output_recovered", "output_failed", "success", false,
                                        true},
        [PT_NOTICE_OUTPUT_TORN] = {"output_torn", "output_torn", NULL, false, false},
};

static size_t troubles(const struct pt_health *health)
{
        size_t count = 0;

        for (size_t i = 0; i < PT_HEALTH_TROUBLES; i++)
                count += health->troubles[i].subject[0] != '\0';
        return count;
}

enum pt_ecs_phase pt_standing_phase(const struct pt_health *health)
{
        if (!health->running)
                return PT_ECS_STARTING;
        return troubles(health) || pt_alarms_active(&health->alarms) ? PT_ECS_DEGRADED
                                                                     : PT_ECS_RUNNING;
}

static struct pt_health_trouble *find_trouble(struct pt_health *health, enum pt_notice_kind kind,
                                              const char *subject)
{
        for (size_t i = 0; i < PT_HEALTH_TROUBLES; i++) {
                struct pt_health_trouble *t = &health->troubles[i];

                if (*t->subject && t->kind == kind && strcmp(t->subject, subject) == 0)
                        return t;
        }
        return NULL;
}

void pt_standing_remember(struct pt_health *health, const struct pt_health_notice *notice)
{
        struct pt_health_trouble *t;

        if (pt_standing_notices[notice->kind].begins &&
            !find_trouble(health, notice->kind, notice->subject)) {
                for (size_t i = 0; i < PT_HEALTH_TROUBLES; i++) {
                        t = &health->troubles[i];
                        if (*t->subject)
                                continue;
                        t->kind = notice->kind;
                        snprintf(t->subject, sizeof t->subject, "%s", notice->subject);
                        return;
                }
        }
        if (!pt_standing_notices[notice->kind].ends)
                return;
        t = find_trouble(health, (enum pt_notice_kind)(notice->kind - 1), notice->subject);
        if (t)
                *t->subject = '\0';
}

uint64_t pt_standing_troubles(const struct pt_health *health, enum pt_notice_kind kind)
{
        uint64_t count = 0;

        for (size_t i = 0; i < PT_HEALTH_TROUBLES; i++)
                count += *health->troubles[i].subject && health->troubles[i].kind == kind;
        return count;
}

static uint64_t count_unread(const struct pt_alarms *alarms)
{
        uint64_t count = 0;

        for (size_t i = 0; i < PT_ALARM_UNREAD_ROWS; i++)
                count += alarms->unread[i].active;
        return count;
}

size_t pt_health_alarms(const struct pt_health *health,
                        struct pt_metrics_alarm ret[PT_HEALTH_ALARMS])
{
        size_t count = 0;

        if (!health->live)
                return 0;
        for (unsigned i = 0; i < PT_ALARM_KINDS; i++)
                ret[count++] = (struct pt_metrics_alarm){
                        pt_alarm_name(i), i == PT_ALARM_UNREAD ? count_unread(&health->alarms)
                                                               : health->alarms.active[i]};
        for (unsigned i = 0; i < PT_NOTICE_KINDS; i++) {
                if (pt_standing_notices[i].begins)
                        ret[count++] = (struct pt_metrics_alarm){pt_standing_notices[i].alarm,
                                                                 pt_standing_troubles(health, i)};
        }
        return count;
}

_Static_assert(PT_ALARM_KINDS + PT_NOTICE_KINDS <= PT_HEALTH_ALARMS, "there is room for all names");
