package machine

import "sync"

// Awake keeps the machine from falling asleep by itself. The zero value lets
// it. The system forgets it when the program ends.
type Awake struct {
	mu   sync.Mutex // guards the field below
	free func() error
}

// Keep turns it on or off; why is one sentence for whoever asks the system what
// keeps it awake.
func (a *Awake) Keep(on bool, why string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if on == (a.free != nil) {
		return nil
	}
	if !on {
		free := a.free
		a.free = nil
		return free()
	}
	free, err := keepAwake(why)
	if err == nil {
		a.free = free
	}
	return err
}
