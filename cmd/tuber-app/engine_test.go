package main

import (
	"github.com/tubercdn/tuber/app"
	"github.com/tubercdn/tuber/booster"
)

// The window speaks to a booster as the commands do.
var _ app.Engine = (*booster.Client)(nil)
