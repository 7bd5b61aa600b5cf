#include "moment.h"

#include <stddef.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define LATEST (INT64_MAX / SECOND)

/* Exactly `count` digits, and on. */
static bool digits(const char **at, int count, int64_t *ret)
{
        int64_t value = 0;

        for (int i = 0; i < count; i++) {
                if (**at < '0' || **at > '9')
                        return false;
                value = value * 10 + *(*at)++ - '0';
        }
        *ret = value;
        return true;
}

static bool character(const char **at, const char *any_of)
{
        if (!**at || !strchr(any_of, **at))
                return false;
        (*at)++;
        return true;
}

/* A fraction of a second, as nanoseconds; more digits than nine are read and count for nothing. */
static bool fraction(const char **at, int64_t *ret)
{
        int64_t value = 0;
        int64_t unit = SECOND / 10;

        *ret = 0;
        if (!character(at, "."))
                return true;
        if (**at < '0' || **at > '9')
                return false;
        for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
                value += (**at - '0') * unit;
        *ret = value;
        return true;
}

static bool is_leap(int64_t year)
{
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_in(int64_t year, int64_t month)
{
        static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

        return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970 to a date, from that year on. */
static bool date(const char **at, int64_t *ret)
{
        int64_t year, month, day, days = 0;

        if (!digits(at, 4, &year) || !character(at, "-") || !digits(at, 2, &month) ||
            !character(at, "-") || !digits(at, 2, &day))
                return false;
        if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
                return false;
        for (int64_t y = 1970; y < year; y++)
                days += is_leap(y) ? 366 : 365;
        for (int64_t m = 1; m < month; m++)
                days += days_in(year, m);
        *ret = days + day - 1;
        return true;
}

/* Z, or how far the clock is ahead of UTC, in seconds. */
static bool offset(const char **at, int64_t *ret)
{
        int64_t hours, minutes, sign;

        *ret = 0;
        if (character(at, "Zz"))
                return true;
        sign = **at == '-' ? -1 : 1;
        if (!character(at, "+-") || !digits(at, 2, &hours) || !character(at, ":") ||
            !digits(at, 2, &minutes) || hours > 23 || minutes > 59)
                return false;
        *ret = sign * (hours * 3600 + minutes * 60);
        return true;
}

static bool sum(int64_t seconds, int64_t nanoseconds, int64_t *ret)
{
        if (seconds < 0 || seconds >= LATEST)
                return false;
        *ret = seconds * SECOND + nanoseconds;
        return true;
}

static bool parse_date(const char *text, int64_t *ret)
{
        int64_t days, hour, minute, second, nanoseconds, ahead;

        if (!date(&text, &days))
                return false;
        if (!*text)
                return sum(days * 86400, 0, ret);
        if (!character(&text, "Tt ") || !digits(&text, 2, &hour) || !character(&text, ":") ||
            !digits(&text, 2, &minute) || !character(&text, ":") || !digits(&text, 2, &second) ||
            !fraction(&text, &nanoseconds) || !offset(&text, &ahead) || *text)
                return false;
        if (hour > 23 || minute > 59 || second > 60) /* 60 is a leap second */
                return false;
        return sum(days * 86400 + hour * 3600 + minute * 60 + second - ahead, nanoseconds, ret);
}

static bool parse_seconds(const char *text, int64_t *ret)
{
        int64_t seconds, nanoseconds;
        size_t count = strspn(text, "0123456789");

        if (count == 0 || count > 12 || !digits(&text, (int)count, &seconds) ||
            !fraction(&text, &nanoseconds) || *text)
                return false;
        return sum(seconds, nanoseconds, ret);
}

bool pt_moment_parse(const char *text, int64_t *ret)
{
        return parse_seconds(text, ret) || parse_date(text, ret);
}
