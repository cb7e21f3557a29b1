using BackupEngine.ObjectStores;
using Xunit;

namespace BackupEngine.TestKit.ObjectStores;

public abstract partial class ObjectStoreConformance
{
    [Fact]
    public async Task A_put_replaces_unless_it_is_told_not_to()
    {
        await Store.PutAsync("k", Bytes(100, seed: 1), cancellationToken: Cancellation);
        await Store.PutAsync("k", Bytes(50, seed: 2), cancellationToken: Cancellation);
        Assert.Equal(Bytes(50, seed: 2), await Store.GetAllAsync("k", 1000, Cancellation));

        ObjectStoreException e = await FailsAsync(
            ObjectStoreError.AlreadyExists, () => Store.PutAsync("k", Bytes(7), PutCondition.IfAbsent, Cancellation));
        Assert.Equal("k", e.Key);
        Assert.Equal(Bytes(50, seed: 2), await Store.GetAllAsync("k", 1000, Cancellation));

        await Store.DeleteAsync("k", Cancellation);
        await Store.PutAsync("k", Bytes(7), PutCondition.IfAbsent, Cancellation);
        Assert.Equal(Bytes(7), await Store.GetAllAsync("k", 1000, Cancellation));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10_000)]
    public async Task The_same_content_put_twice_if_absent_is_refused_the_second_time(int length)
    {
        await Store.PutAsync("same", Bytes(length), PutCondition.IfAbsent, Cancellation);
        await FailsAsync(ObjectStoreError.AlreadyExists, () => Store.PutAsync("same", Bytes(length), PutCondition.IfAbsent, Cancellation));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    [InlineData(1_000_000)]
    public async Task What_was_read_is_replaced_and_nothing_else_is(int length)
    {
        byte[] first = Bytes(length, seed: 1), second = Bytes(length, seed: 2);
        await Store.PutAsync("k", first, cancellationToken: Cancellation);
        await Store.PutAsync("k", second, PutCondition.IfUnchanged(first), Cancellation);
        Assert.Equal(second, await Store.GetAllAsync("k", 1_000_000, Cancellation));

        byte[][] others = [first, [.. second, 0], second[..^1], [.. second[..^1], (byte)(second[^1] ^ 1)]];
        foreach (byte[] other in others.Where(other => other.Length > 0))
        {
            ObjectStoreException e = await FailsAsync(ObjectStoreError.Changed, () => Store.PutAsync("k", first, PutCondition.IfUnchanged(other), Cancellation));
            Assert.Equal("k", e.Key);
            Assert.False(e.IsTransient);
        }

        Assert.Equal(second, await Store.GetAllAsync("k", 1_000_000, Cancellation));
        await Store.PutAsync("k", second, PutCondition.IfUnchanged(second), Cancellation);
    }

    [Fact]
    public async Task What_is_gone_is_not_replaced()
    {
        await Store.PutAsync("a/k", Bytes(7), cancellationToken: Cancellation);
        await Store.DeleteAsync("a/k", Cancellation);
        foreach (string key in new[] { "a/k", "never" })
        {
            await FailsAsync(ObjectStoreError.Changed, () => Store.PutAsync(key, Bytes(7), PutCondition.IfUnchanged(Bytes(7)), Cancellation));
            Assert.Null(await Store.HeadAsync(key, Cancellation));
        }

        await Store.PutAsync("a/k", ReadOnlyMemory<byte>.Empty, cancellationToken: Cancellation);
        await FailsAsync(ObjectStoreError.Changed, () => Store.PutAsync("a/k", Bytes(7), PutCondition.IfUnchanged(Bytes(7)), Cancellation));
        Assert.Throws<ArgumentException>(() => PutCondition.IfUnchanged(ReadOnlyMemory<byte>.Empty));
    }

    [Fact]
    public async Task Of_changes_that_each_replace_what_they_read_none_is_lost()
    {
        const int Writers = 4, Changes = 8;
        await Store.PutAsync("count", BitConverter.GetBytes(0), cancellationToken: Cancellation);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(CountAsync)));
        Assert.Equal(Writers * Changes, BitConverter.ToInt32(await Store.GetAllAsync("count", 100, Cancellation)));

        async Task CountAsync()
        {
            for (int done = 0, attempt = 0; done < Changes; attempt++)
            {
                Assert.True(attempt < 100 * Writers * Changes, "nothing that is there is ever replaced");
                byte[] read = await Store.GetAllAsync("count", 100, Cancellation);
                try
                {
                    await Store.PutAsync("count", BitConverter.GetBytes(BitConverter.ToInt32(read) + 1), PutCondition.IfUnchanged(read), Cancellation);
                    done++;
                }
                catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Changed)
                {
                    // Another was faster.
                }
            }
        }
    }

    [Fact]
    public async Task What_is_replaced_while_it_is_deleted_is_gone_or_was_not_replaced()
    {
        for (int round = 0; round < 20; round++)
        {
            string key = $"gone/{round}";
            await Store.PutAsync(key, Bytes(100), cancellationToken: Cancellation);
            Task<bool> replacing = Task.Run(() => TryReplaceAsync(key));
            await Store.DeleteAsync(key, Cancellation);
            await replacing;
            Assert.Null(await Store.HeadAsync(key, Cancellation));
        }

        async Task<bool> TryReplaceAsync(string key)
        {
            try
            {
                await Store.PutAsync(key, Bytes(200), PutCondition.IfUnchanged(Bytes(100)), Cancellation);
                return true;
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Changed)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Of_sixteen_writers_that_race_for_a_free_key_one_wins()
    {
        for (int round = 0; round < 10; round++)
        {
            string key = $"race/{round}/k";
            bool[] won = await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(() => TryPutAsync(key, writer))));
            Assert.Single(won, true);
            byte[] content = await Store.GetAllAsync(key, 100_000, Cancellation);
            Assert.Equal(Bytes(1000 + Array.IndexOf(won, true), seed: Array.IndexOf(won, true)), content);
        }

        async Task<bool> TryPutAsync(string key, int writer)
        {
            try
            {
                await Store.PutAsync(key, Bytes(1000 + writer, seed: writer), PutCondition.IfAbsent, Cancellation);
                return true;
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.AlreadyExists)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Readers_see_all_of_the_old_object_or_all_of_the_new()
    {
        const int Length = 300_000;
        await Store.PutAsync("swap", Filled(0), cancellationToken: Cancellation);
        using CancellationTokenSource done = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task[] readers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(ReadAsync))];
        for (int i = 1; i <= 40; i++)
            await Store.PutAsync("swap", Filled((byte)i), cancellationToken: Cancellation);
        await done.CancelAsync();
        await Task.WhenAll(readers);

        static byte[] Filled(byte value)
        {
            byte[] content = new byte[Length + value];
            Array.Fill(content, value);
            return content;
        }

        async Task ReadAsync()
        {
            byte[] read = new byte[Length + 100];
            while (!done.IsCancellationRequested)
            {
                int count = await Store.GetAsync("swap", 0, read, Cancellation);
                Assert.Equal(Length + read[0], count);
                Assert.False(read.AsSpan(0, count).ContainsAnyExcept(read[0]));
            }
        }
    }

    [Fact]
    public async Task No_put_is_lost_to_deletes_beside_it()
    {
        // Every delete may leave the folder empty just as another put goes into it.
        await Parallel.ForAsync(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancellation }, async (worker, token) =>
        {
            for (int i = 0; i < 40; i++)
            {
                string key = $"shared/deep/folder/{worker}";
                await Store.PutAsync(key, Bytes(64, seed: i), i % 2 == 0 ? PutCondition.IfAbsent : PutCondition.None, token);
                Assert.Equal(Bytes(64, seed: i), await Store.GetAllAsync(key, 64, token));
                await Store.DeleteAsync(key, token);
                Assert.Null(await Store.HeadAsync(key, token));
            }
        });
        Assert.Empty(await KeysAsync(""));
    }

    [Fact]
    public async Task Listings_beside_changes_tell_nothing_that_never_was()
    {
        await PutManyAsync(Enumerable.Range(0, 30).Select(i => $"stay/{i:d2}"));
        using CancellationTokenSource done = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task changes = Task.Run(async () =>
        {
            for (int i = 0; !done.IsCancellationRequested; i++)
            {
                await Store.PutAsync($"stay/x{i % 5}/y", Bytes(9), cancellationToken: Cancellation);
                await Store.DeleteAsync($"stay/x{(i + 3) % 5}/y", Cancellation);
            }
        }, Cancellation);

        for (int round = 0; round < 30; round++)
        {
            List<ObjectInfo> found = await ListAsync("stay/");
            Assert.Equal(30, found.Count(info => !info.Key.Contains('x', StringComparison.Ordinal)));
            Assert.All(found, info => Assert.Equal(info.Key.Contains('x', StringComparison.Ordinal) ? 9 : 1, info.SizeBytes));
            Assert.Equal(found.Select(info => info.Key).Order(StringComparer.Ordinal), found.Select(info => info.Key));
        }

        await done.CancelAsync();
        await changes;
    }

    [Fact]
    public async Task A_cancelled_call_does_nothing_and_says_so()
    {
        CancellationToken cancelled = new(canceled: true);
        await Store.PutAsync("there", Bytes(5), cancellationToken: Cancellation);

        await CancelledAsync(async () => await Store.PutAsync("new", Bytes(5), cancellationToken: cancelled));
        await CancelledAsync(async () => await Store.PutAsync("there", Bytes(6), cancellationToken: cancelled));
        await CancelledAsync(async () => await Store.GetAsync("there", 0, new byte[5], cancelled));
        await CancelledAsync(async () => await Store.HeadAsync("there", cancelled));
        await CancelledAsync(async () => await Store.DeleteAsync("there", cancelled));
        await CancelledAsync(async () =>
        {
            await foreach (ObjectInfo _ in Store.ListAsync("", cancelled))
            {
            }
        });
        Assert.Equal(["there"], await KeysAsync(""));
        Assert.Equal(Bytes(5), await Store.GetAllAsync("there", 10, Cancellation));

        static Task CancelledAsync(Func<Task> call) => Assert.ThrowsAnyAsync<OperationCanceledException>(call);
    }

    [Fact]
    public async Task A_put_cancelled_on_its_way_stores_all_or_nothing()
    {
        byte[] content = Bytes(8_000_000);
        for (int i = 0; i < 8; i++)
        {
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            ValueTask put = Store.PutAsync($"cut/{i}", content, cancellationToken: stop.Token);
            stop.CancelAfter(TimeSpan.FromMilliseconds(i * 3));
            try
            {
                await put;
            }
            catch (OperationCanceledException)
            {
                Assert.True(stop.IsCancellationRequested);
            }

            long? size = (await Store.HeadAsync($"cut/{i}", Cancellation))?.SizeBytes;
            Assert.True(size is null or 8_000_000, $"{size} bytes stored");
        }
    }

    [Fact]
    public void The_name_is_one_line_for_messages()
    {
        Assert.NotEmpty(Store.Name);
        Assert.DoesNotContain('\n', Store.Name);
    }
}
