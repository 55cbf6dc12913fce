package app

import "time"

// pauseChoice is one of the four pauses on offer.
type pauseChoice struct {
	text  string
	until func(now time.Time) time.Time
}

// pauseChoices are the pauses, shortest first.
func pauseChoices() []pauseChoice {
	return []pauseChoice{
		{tr("For 30 minutes"), func(now time.Time) time.Time { return now.Add(30 * time.Minute) }},
		{tr("For 1 hour"), func(now time.Time) time.Time { return now.Add(time.Hour) }},
		{tr("Until tomorrow"), tomorrow},
		{tr("Until I resume"), func(time.Time) time.Time { return time.Time{} }},
	}
}

// tomorrow begins at four in the morning, after the evening that somebody
// wanted for themselves, as "tuber pause tomorrow" has it.
func tomorrow(now time.Time) time.Time {
	end := time.Date(now.Year(), now.Month(), now.Day(), 4, 0, 0, 0, now.Location())
	if !end.After(now) {
		end = time.Date(now.Year(), now.Month(), now.Day()+1, 4, 0, 0, 0, now.Location())
	}
	return end
}
