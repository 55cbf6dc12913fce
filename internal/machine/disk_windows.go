package machine

import "golang.org/x/sys/windows"

func freeDisk(at string) (free uint64, err error) {
	path, err := windows.UTF16PtrFromString(at)
	if err != nil {
		return 0, err
	}
	err = windows.GetDiskFreeSpaceEx(path, &free, nil, nil)
	return free, err
}
