using BackupEngine.Limits;
using BackupEngine.TestKit;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Limits;

public sealed class ResourceBudgetTests
{
    [Fact]
    public async Task Nobody_takes_more_than_a_quarter_unless_it_needs_it()
    {
        var budget = new ResourceBudget(bytes: 400, workers: 8);
        using ResourceShare modest = await TakeAsync(budget, Request(fixedBytes: 10, workerBytes: 10, maxBytes: 1000, workers: 16));
        Assert.Equal((100, 2), (modest.Bytes, modest.Workers));
        using ResourceShare large = await TakeAsync(budget, Request(fixedBytes: 150, workerBytes: 50, maxBytes: 1000, workers: 16));
        Assert.Equal((200, 1), (large.Bytes, large.Workers));
        using ResourceShare rest = await TakeAsync(budget, Request(fixedBytes: 0, workerBytes: 60, maxBytes: 1000, workers: 16));
        Assert.Equal((100, 1), (rest.Bytes, rest.Workers));
        Assert.Equal((0, 4), budget.Free);
    }

    [Fact]
    public async Task Who_waits_comes_by_priority_and_then_in_turn_and_nobody_overtakes()
    {
        var budget = new ResourceBudget(bytes: 100, workers: int.MaxValue);
        ResourceShare first = await TakeAsync(budget, Request(0, 100));
        var order = new List<string>();
        Task[] waiting =
        [
            WaitAsync("low", OperationPriority.Low, 100),
            WaitAsync("backup 1", OperationPriority.Normal, 100),
            WaitAsync("backup 2", OperationPriority.Normal, 100),
            WaitAsync("restore 1", OperationPriority.High, 100),
            WaitAsync("restore 2", OperationPriority.High, 100),
        ];
        Assert.Equal(5, budget.WaitingCount);
        first.Dispose();
        await Task.WhenAll(waiting);
        Assert.Equal(["restore 1", "restore 2", "backup 1", "backup 2", "low"], order);
        Assert.Equal(100, budget.Free.Bytes);

        async Task WaitAsync(string name, OperationPriority priority, long bytes)
        {
            using ResourceShare share = await TakeAsync(budget, Request(0, bytes, priority: priority));
            lock (order)
                order.Add(name);
        }
    }

    [Fact]
    public async Task Who_gives_up_waiting_lets_those_behind_go_on()
    {
        var budget = new ResourceBudget(bytes: 100, workers: int.MaxValue);
        using ResourceShare first = await TakeAsync(budget, Request(0, 50));
        using var cancel = new CancellationTokenSource();
        Task<ResourceShare> large = budget.TakeAsync(Request(0, 100), cancel.Token).AsTask();
        Task<ResourceShare> small = budget.TakeAsync(Request(0, 50), Repositories.Token).AsTask();
        Assert.False(small.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        using ResourceShare got = await small;
        Assert.Equal(0, budget.WaitingCount);
    }

    [Fact]
    public async Task A_share_comes_back_once_however_often_it_is_given_back()
    {
        var budget = new ResourceBudget(bytes: 100, workers: 4);
        ResourceShare share = await TakeAsync(budget, Request(0, 10));
        share.Dispose();
        share.Dispose();
        Assert.Equal((100, 4), budget.Free);
    }

    [Fact]
    public async Task What_can_never_be_given_is_refused_at_once() =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await TakeAsync(new ResourceBudget(100, 1), Request(1, 100)));

    [Fact]
    public async Task However_many_come_and_go_no_more_is_out_than_there_is_and_all_comes_back()
    {
        const long Bytes = 1000;
        const int Workers = 7;
        var budget = new ResourceBudget(Bytes, Workers);
        long out_ = 0;
        int workersOut = 0;
        int seed = TestSeed.Next();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(async () =>
        {
            var random = new Random(seed + i);
            for (int round = 0; round < 200; round++)
            {
                using var cancel = new CancellationTokenSource();
                if (random.Next(4) == 0)
                    cancel.CancelAfter(TimeSpan.FromTicks(random.Next(20_000)));
                try
                {
                    using ResourceShare share = await budget.TakeAsync(
                        Request(random.Next(200), random.Next(1, 800), random.Next(2000), random.Next(1, 20), (OperationPriority)random.Next(-1, 2)), cancel.Token);
                    Assert.True(Interlocked.Add(ref out_, share.Bytes) <= Bytes, $"seed {seed}");
                    Assert.True(Interlocked.Add(ref workersOut, share.Workers) <= Workers, $"seed {seed}");
                    await Task.Yield();
                    Interlocked.Add(ref out_, -share.Bytes);
                    Interlocked.Add(ref workersOut, -share.Workers);
                }
                catch (OperationCanceledException)
                {
                    // Meant to happen.
                }
            }
        })));
        Assert.Equal((Bytes, Workers), budget.Free);
        Assert.Equal(0, budget.WaitingCount);
    }

    private static ValueTask<ResourceShare> TakeAsync(ResourceBudget budget, ResourceRequest request) => budget.TakeAsync(request, Repositories.Token);

    private static ResourceRequest Request(
        long fixedBytes, long workerBytes, long maxBytes = 0, int workers = 1, OperationPriority priority = OperationPriority.Normal) =>
        new() { Priority = priority, FixedBytes = fixedBytes, WorkerBytes = workerBytes, MaxBytes = maxBytes, Workers = workers };
}
