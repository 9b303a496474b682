internal import Redis

/// What the directory has Redis do, each in one piece. docs/cluster.md says what is kept where.
///
/// All begin with the time until which they are wanted, in milliseconds of Redis' clock: a Redis that stood still must not carry out what
/// nobody waits for any more. All answer with a word, the time, and what the word is about.
enum DirectoryScripts {
    private static func script(_ body: String) -> RedisScript {
        RedisScript(
            """
            local function count(text) return math.max(0, tonumber(text) or 0) end
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            if now > tonumber(ARGV[1]) then return {'late', now} end
            \(body)
            """
        )
    }

    /// A worker becomes the owner of a session.
    ///
    /// Keys: the session, its log. Arguments: how long both are kept, the owner, the worker's name, the number of the latest claim that the
    /// worker knows of. Answers with the claim's number, that of the one before, its owner, the count of messages and those that are kept.
    /// A log from before a claim that Redis has forgotten is no use: whoever made that claim has a later one.
    static let claim = script(
        """
        local held = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'total', 'bytes')
        local before, total, bytes = count(held[2]), count(held[3]), count(held[4])
        local known = tonumber(ARGV[5])
        if before == 0 or before < known then
            redis.call('DEL', KEYS[2])
            total, bytes = 0, 0
        end
        local log = redis.call('LRANGE', KEYS[2], 0, -1)
        local epoch = math.max(before, known) + 1
        redis.call('HSET', KEYS[1], 'owner', ARGV[3], 'worker', ARGV[4], 'epoch', epoch, 'total', total, 'bytes', bytes)
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        redis.call('PEXPIRE', KEYS[2], ARGV[2])
        return {'claimed', now, epoch, before, held[1] or '', total, log}
        """
    )

    /// The owner of a session says that it still is, what was said, and perhaps that it gives the session up.
    ///
    /// Keys: the session, its log. Arguments: how long both are kept, the owner, the worker's name, the number of its claim, that of the oldest
    /// message it could send, that of the first one it sends, the ending or nothing, how many messages and bytes a log has, the messages.
    /// What is there already is not added again. Answers with the claim's number, and the count of messages.
    static let hold = script(
        """
        local held = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'total', 'bytes')
        local epoch, total, bytes = count(held[2]), count(held[3]), count(held[4])
        local mine, oldest, first = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
        if held[1] ~= ARGV[3] then
            if epoch > 0 and epoch >= mine then return {'lost', now, epoch} end
            redis.call('DEL', KEYS[2])
            total, bytes = 0, 0
        end
        epoch = math.max(epoch, mine, 1)
        local word, owner, worker = 'held', ARGV[3], ARGV[4]
        if first > total and oldest < first then
            word = 'behind'
        else
            total = math.max(total, first)
            for i = 11, #ARGV do
                if first + i - 11 == total then
                    redis.call('RPUSH', KEYS[2], ARGV[i])
                    bytes = bytes + #ARGV[i]
                    total = total + 1
                end
            end
            while redis.call('LLEN', KEYS[2]) > tonumber(ARGV[9]) or bytes > tonumber(ARGV[10]) do
                local oldest = redis.call('LPOP', KEYS[2])
                bytes = oldest and bytes - #oldest or 0
            end
            if ARGV[8] == 'forget' then
                redis.call('DEL', KEYS[1], KEYS[2])
                return {word, now, epoch, total}
            elseif ARGV[8] == 'keep' then
                owner, worker = '', ''
            end
        end
        redis.call('HSET', KEYS[1], 'owner', owner, 'worker', worker, 'epoch', epoch, 'total', total, 'bytes', bytes)
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        redis.call('PEXPIRE', KEYS[2], ARGV[2])
        return {word, now, epoch, total}
        """
    )

    /// The owner of many sessions says that it still is.
    ///
    /// Keys: for each session, it and its log. Arguments: how long they are kept, the owner, for each session the count of its messages.
    /// Answers with a number for each session: 1 if all is as the owner says.
    static let renew = script(
        """
        local answers = {}
        for i = 1, #KEYS / 2 do
            local held = redis.pcall('HMGET', KEYS[2 * i - 1], 'owner', 'total')
            answers[i] = 0
            if held[1] == ARGV[3] and held[2] == ARGV[3 + i] then
                redis.call('PEXPIRE', KEYS[2 * i - 1], ARGV[2])
                redis.call('PEXPIRE', KEYS[2 * i], ARGV[2])
                answers[i] = 1
            end
        end
        return {'renewed', now, answers}
        """
    )

    /// A worker says how it is.
    ///
    /// Keys: the worker, the list of workers. Arguments: how long that is good, its name, which process it is, fields and values. Answers with
    /// the process that said so last.
    static let publish = script(
        """
        local before = redis.call('HGET', KEYS[1], 'owner')
        redis.call('HSET', KEYS[1], 'owner', ARGV[4], unpack(ARGV, 5))
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        redis.call('ZADD', KEYS[2], now, ARGV[3])
        return {'published', now, before or ''}
        """
    )

    /// Somebody asks how the workers are.
    ///
    /// Keys: the list of workers. Arguments: what stands before a worker's name in its key, how long ago a worker may have spoken, how many
    /// workers are wanted. Answers with name, age in milliseconds, and fields and values of each.
    static let list = script(
        """
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60000)
        local earliest = now - tonumber(ARGV[3])
        local found = redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', earliest, 'WITHSCORES', 'LIMIT', 0, ARGV[4])
        local answer = {}
        for i = 1, #found, 2 do
            local fields = redis.pcall('HGETALL', ARGV[2] .. found[i])
            if fields.err then fields = {'error', fields.err} end
            answer[#answer + 1] = {found[i], math.max(0, now - tonumber(found[i + 1])), fields}
        end
        return {'workers', now, answer}
        """
    )
}
