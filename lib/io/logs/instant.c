#include "io/logs/instant.h"

#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)
#define DAY INT64_C(86400)
#define LATEST INT64_C(4294967295) /* pcap's last second */

struct text {
        const char *at, *end;
};

static bool is_digit(const struct text *t)
{
        return t->at < t->end && *t->at >= '0' && *t->at <= '9';
}

static bool take(struct text *t, const char *any_of)
{
        if (t->at == t->end || !*t->at || !strchr(any_of, *t->at))
                return false;
        t->at++;
        return true;
}

/* `least` digits or more, at most `most`. */
static bool digits(struct text *t, int least, int most, int64_t *ret)
{
        int count = 0;

        *ret = 0;
        for (; count < most && is_digit(t); count++)
                *ret = *ret * 10 + (*t->at++ - '0');
        return count >= least;
}

/* What stands behind the point, if there is one; digits beyond nanoseconds count for nothing. */
static bool fraction(struct text *t, int64_t *ret)
{
        int64_t unit = SECOND / 10;

        *ret = 0;
        if (!take(t, "."))
                return true;
        if (!is_digit(t))
                return false;
        for (; is_digit(t); t->at++, unit /= 10)
                *ret += (*t->at - '0') * unit;
        return true;
}

static bool seconds(struct text t, int64_t most, int64_t *ret)
{
        int64_t whole, part;

        if (!digits(&t, 1, 11, &whole) || !fraction(&t, &part) || t.at != t.end || whole > most)
                return false;
        *ret = whole * SECOND + part;
        return true;
}

static bool zone(struct text *t, int64_t *ret)
{
        int64_t hours, minutes, sign;

        *ret = 0;
        if (take(t, "Zz"))
                return true;
        sign = t->at < t->end && *t->at == '-' ? -1 : 1;
        if (!take(t, "+-") || !digits(t, 2, 2, &hours))
                return false;
        take(t, ":");
        if (!digits(t, 2, 2, &minutes) || hours > 23 || minutes > 59)
                return false;
        *ret = sign * (hours * 3600 + minutes * 60);
        return true;
}

static bool date(struct text t, int64_t *ret)
{
        int64_t year, month, day, hour, minute, second, part, ahead, whole;
        struct tm tm = {0};

        if (!digits(&t, 4, 4, &year) || !take(&t, "-") || !digits(&t, 2, 2, &month) ||
            !take(&t, "-") || !digits(&t, 2, 2, &day) || !take(&t, "T ") ||
            !digits(&t, 2, 2, &hour) || !take(&t, ":") || !digits(&t, 2, 2, &minute) ||
            !take(&t, ":") || !digits(&t, 2, 2, &second) || !fraction(&t, &part) ||
            !zone(&t, &ahead) || t.at != t.end)
                return false;
        if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
            second > 60)
                return false;
        tm.tm_year = (int)year - 1900;
        tm.tm_mon = (int)month - 1;
        tm.tm_mday = (int)day;
        tm.tm_hour = (int)hour;
        tm.tm_min = (int)minute;
        tm.tm_sec = (int)second;
        whole = (int64_t)timegm(&tm) - ahead;
        if (tm.tm_mday != (int)day && second < 60) /* the 31st of a shorter month */
                return false;
        if (whole < 0 || whole > LATEST)
                return false;
        *ret = whole * SECOND + part;
        return true;
}

bool pt_instant_parse(const char *text, size_t length, int64_t *ret)
{
        const struct text t = {text, text + length};

        return seconds(t, LATEST, ret) || date(t, ret);
}

bool pt_instant_span(const char *text, size_t length, int64_t *ret)
{
        return seconds((struct text){text, text + length}, DAY, ret);
}
