# Runs one server and stops it when nobody wants it any more.
#
#   sh -c "$(cat watchdog.sh)" ryggrad-watchdog SIGNAL FIFO FOLDER command arguments…
#
# Orders come on standard input, one a line: a signal's name to pass on, or "hold PID". The server is stopped with SIGNAL
#  - when standard input ends: whoever started it is gone, even by SIGKILL; or
#  - if FIFO is not empty (standard input is that named pipe, and many processes may hold its other end): when nobody holds
#    it and the processes named by "hold" are gone; without any such, when nobody has held it for a second.
# At the end FOLDER, if not empty, is removed. Says "pid N" and "exit CODE" on standard output; the server logs to standard error.
stop=$1 fifo=$2 folder=$3
shift 3
exec 3<&0
"$@" </dev/null 3<&- >&2 &
server=$!
trap '' PIPE
echo "pid $server"
(
    holders= idle=0
    while :; do
        if read -r order who <&3; then
            case $order in
                hold) holders="$holders $who" idle=0 ;;
                *) kill -s "$order" "$server" ;;
            esac
            continue
        fi
        [ -n "$fifo" ] || break
        alive=
        for holder in $holders; do
            [ ! -d "/proc/$holder" ] || alive="$alive $holder"
        done
        holders=$alive
        if [ -n "$holders" ]; then
            idle=10 # when the last of them dies, it is over at once
            sleep 0.1
        elif [ "$idle" -lt 10 ]; then
            idle=$((idle + 1))
            sleep 0.1
        elif [ -e "$fifo" ] && rm -f "$fifo"; then
            : # from here on nobody new can come; one last look at who came just before
        else
            break
        fi
    done
    kill -s "$stop" "$server"
    patience=100
    while [ "$patience" -gt 0 ]; do
        sleep 0.1
        patience=$((patience - 1))
    done
    kill -s KILL "$server"
) 2>/dev/null &
listener=$!
wait "$server"
code=$?
kill "$listener" 2>/dev/null
[ -z "$folder" ] || rm -rf "$folder"
echo "exit $code" 2>/dev/null
