using BackupEngine.Limits;
using BackupEngine.Tests.Repository;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BackupEngine.Tests.Limits;

public sealed class RateLimitTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Each_waits_until_the_bytes_before_it_have_had_their_time()
    {
        var rate = new RateLimit(1000, _time);
        Task[] calls = [.. Enumerable.Range(0, 4).Select(_ => rate.WaitAsync(500, Repositories.Token).AsTask())];
        for (int second = 0; second < 4; second++)
        {
            Assert.Equal(second + 1, calls.Count(call => call.IsCompleted));
            _time.Advance(TimeSpan.FromMilliseconds(499));
            Assert.Equal(second + 1, calls.Count(call => call.IsCompleted));
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }
    }

    [Fact]
    public void Time_that_nobody_used_is_not_saved_up()
    {
        var rate = new RateLimit(1000, _time);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.True(rate.WaitAsync(1000, Repositories.Token).AsTask().IsCompleted);
        Assert.False(rate.WaitAsync(1, Repositories.Token).AsTask().IsCompleted);
    }

    [Fact]
    public async Task A_wait_of_months_is_a_wait_and_can_be_given_up()
    {
        var rate = new RateLimit(1, _time);
        using var cancel = new CancellationTokenSource();
        Assert.True(rate.WaitAsync(10_000_000, Repositories.Token).AsTask().IsCompleted);
        Task late = rate.WaitAsync(1, cancel.Token).AsTask();
        _time.Advance(TimeSpan.FromDays(1));
        Assert.False(late.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => late);
    }

    [Fact]
    public async Task Who_gives_up_does_not_hold_up_those_who_come_later()
    {
        var rate = new RateLimit(1000, _time);
        using var cancel = new CancellationTokenSource();
        Assert.True(rate.WaitAsync(1000, Repositories.Token).AsTask().IsCompleted);
        Task large = rate.WaitAsync(1_000_000, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        Task small = rate.WaitAsync(1, Repositories.Token).AsTask();
        Assert.False(small.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        await small;
    }

    [Fact]
    public async Task No_number_of_callers_gets_more_than_the_rate()
    {
        var rate = new RateLimit(1_000_000, _time);
        Task all = Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 10; i++)
                await rate.WaitAsync(10_000, Repositories.Token);
        })));
        long began = _time.GetTimestamp();
        while (!all.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        await all;
        Assert.True(_time.GetElapsedTime(began) >= TimeSpan.FromSeconds(1.98), $"2,000,000 bytes in {_time.GetElapsedTime(began)}");
    }
}
