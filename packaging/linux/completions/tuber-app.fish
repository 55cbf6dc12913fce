# fish completion for tuber-app
complete -c tuber-app -f
complete -c tuber-app -l hidden -d 'Start without the window, if there is a tray to reach it by'
complete -c tuber-app -l quit -d 'End the Tuber that runs, and wait for that'
complete -c tuber-app -l state -x -a '(__fish_complete_directories)' -d 'Keep keys, settings and chunks there'
complete -c tuber-app -l no-upnp -d 'Do not ask the router to map the UDP port'
complete -c tuber-app -l verbose -d 'Log more'
complete -c tuber-app -l version -d 'Print the version and end'
complete -c tuber-app -l help -d 'List what there is'
