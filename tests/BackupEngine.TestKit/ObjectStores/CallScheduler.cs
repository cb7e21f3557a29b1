using System.Runtime.CompilerServices;
using BackupEngine.ObjectStores;

namespace BackupEngine.TestKit.ObjectStores;

/// <summary>An actor's process has died: everything it still tries fails with this, which no code handles.</summary>
public sealed class CrashedException() : Exception("The process has died.");

/// <summary>
/// Runs several actors on one store, one call at a time, in an order that a seed decides: a call goes only when every actor that is not done waits with one,
/// so that no other timing matters.
/// </summary>
public sealed class CallScheduler(IObjectStore store, int seed)
{
    private readonly Random _random = new(seed);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _running = [];
    private readonly List<(string Actor, TaskCompletionSource Turn)> _waiting = [];
    private bool _isCalling;

    /// <summary>Called before every call, while no other goes on.</summary>
    public Action? BeforeCall { get; init; }

    /// <summary>Who called what, in order.</summary>
    public List<string> Trace { get; } = [];

    /// <summary>Runs an actor to its end; returns what it threw.</summary>
    /// <param name="name">The actor.</param>
    /// <param name="crashAt">The call at which its process dies; 0 for none.</param>
    /// <param name="view">What the actor's store looks through; for taking something from its sight.</param>
    /// <param name="work">What the actor does.</param>
    public Task<Exception?> Start(string name, int crashAt, Func<IObjectStore, IObjectStore>? view, Func<IObjectStore, Task> work)
    {
        lock (_lock)
            _running[name] = 0;
        return Task.Run(async () =>
        {
            try
            {
                IObjectStore own = new ActorStore(this, store, name, crashAt);
                await work(view?.Invoke(own) ?? own);
                return null;
            }
            catch (Exception e) when (e is BackupEngineException or CrashedException or AggregateException { InnerException: CrashedException })
            {
                return e;
            }
            finally
            {
                lock (_lock)
                {
                    _running.Remove(name);
                    Next();
                }
            }
        });
    }

    private Task WaitForTurnAsync(string actor)
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _waiting.Add((actor, turn));
            _running[actor]++;
            Next();
        }

        return turn.Task;
    }

    private void EndCall(string actor, string call)
    {
        lock (_lock)
        {
            Trace.Add($"{actor}: {call}");
            _isCalling = false;
            Next();
        }
    }

    private void Next()
    {
        if (_isCalling || _waiting.Count == 0 || _running.Values.Any(waiting => waiting == 0))
            return;

        // The actor first: one with many calls waiting is no likelier than another.
        string[] actors = [.. _waiting.Select(call => call.Actor).Distinct().Order()];
        string actor = actors[_random.Next(actors.Length)];
        int index = _waiting.FindIndex(call => call.Actor == actor);
        TaskCompletionSource turn = _waiting[index].Turn;
        _waiting.RemoveAt(index);
        _running[actor]--;
        _isCalling = true;
        BeforeCall?.Invoke();
        turn.SetResult();
    }

    private sealed class ActorStore(CallScheduler scheduler, IObjectStore inner, string actor, int crashAt) : IObjectStore
    {
        private int _calls;

        public string Name => inner.Name;

        public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
        {
            byte[] copy = content.ToArray();
            await RunAsync($"put {key}", async () =>
            {
                await inner.PutAsync(key, copy, condition, CancellationToken.None);
                return 0;
            });
        }

        public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
            await RunAsync($"get {key}", () => inner.GetAsync(key, offset, destination, CancellationToken.None));

        public async ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) =>
            await RunAsync($"head {key}", () => inner.HeadAsync(key, CancellationToken.None));

        public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            List<ObjectInfo> all = await RunAsync($"list {prefix}", async () =>
            {
                List<ObjectInfo> infos = [];
                await foreach (ObjectInfo info in inner.ListAsync(prefix, CancellationToken.None))
                    infos.Add(info);
                return infos;
            });
            foreach (ObjectInfo info in all)
                yield return info;
        }

        public async ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        {
            // A batch is not atomic, so others may come in between.
            foreach (string key in keys)
            {
                await RunAsync($"delete {key}", async () =>
                {
                    await inner.DeleteAsync([key], CancellationToken.None);
                    return 0;
                });
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private async ValueTask<T> RunAsync<T>(string call, Func<ValueTask<T>> run)
        {
            await scheduler.WaitForTurnAsync(actor);
            bool isDead = crashAt > 0 && Interlocked.Increment(ref _calls) >= crashAt;
            try
            {
                return isDead ? throw new CrashedException() : await run();
            }
            finally
            {
                scheduler.EndCall(actor, isDead ? $"dead at {call}" : call);
            }
        }
    }
}
