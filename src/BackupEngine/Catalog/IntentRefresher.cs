using System.Diagnostics.CodeAnalysis;
using BackupEngine.Diagnostics;
using BackupEngine.ObjectStores;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Catalog;

/// <summary>
/// Keeps the intent or the marks of one operation fresh (docs/decisions/0027): every few minutes each is replaced as it was last written. When one is missing or was replaced by
/// another, a prune considered the operation stale, or a copy of this process in a cloned machine owns it as well: then the operation is cancelled, and must not commit or delete
/// anything. One timer for an operation; it does not keep the process running.
/// </summary>
internal sealed class IntentRefresher : IAsyncDisposable
{
    private readonly IObjectStore _store;
    private readonly TimeProvider _time;
    private readonly IntentLifetime _lifetime;
    private readonly ILogger _logger;
    private readonly string _operation;
    private readonly List<Refreshed> _objects = [];
    private readonly CancellationTokenSource _lost;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly ITimer _timer;
    private long _lastSuccess;
    private bool _isStopped;

    /// <param name="store">The container.</param>
    /// <param name="time">The clock of the timer.</param>
    /// <param name="lifetime">How often, and for how long an intent stays without it.</param>
    /// <param name="logger">Is told of refreshes that failed.</param>
    /// <param name="operation">What is going on, for messages, such as "Backup 1234".</param>
    /// <param name="cancellationToken">The token of the operation.</param>
    public IntentRefresher(IObjectStore store, TimeProvider time, IntentLifetime lifetime, ILogger logger, string operation, CancellationToken cancellationToken)
    {
        (_store, _time, _lifetime, _logger, _operation) = (store, time, lifetime, logger, operation);
        _lost = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Token = _lost.Token;
        _lastSuccess = time.GetTimestamp();
        _timer = CreateTimer(time);
    }

    /// <summary>Gets the operation's token, which is also cancelled when the intent is lost.</summary>
    public CancellationToken Token { get; }

    /// <summary>Gets the reason why the operation must end; null as long as it need not.</summary>
    public BackupStateException? Failure { get; private set; }

    /// <summary>Gets a value that indicates whether an object is missing or belongs to another: then what is stored under the operation's id is not this process's to remove.</summary>
    [MemberNotNullWhen(true, nameof(Failure))]
    public bool IsLost { get; private set; }

    /// <summary>Adds an object that is kept fresh.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="content">What was stored.</param>
    /// <param name="write">Returns the next content, which must be another each time, by how often it was refreshed.</param>
    public void Add(string key, byte[] content, Func<int, byte[]> write)
    {
        lock (_objects)
            _objects.Add(new Refreshed(key, write) { Content = content });
    }

    /// <summary>Stops refreshing. When the last refresh is overdue, as after the process was suspended, it is made up for, so that a lost intent is noticed.</summary>
    /// <exception cref="BackupStateException">The intent or a mark was lost, or could not be refreshed for so long that it counts as stale.</exception>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await EndTimerAsync().ConfigureAwait(false);
        if (Failure is null && _time.GetElapsedTime(_lastSuccess) >= _lifetime.RefreshInterval + (_lifetime.RefreshInterval / 2))
            await RefreshAsync(cancellationToken).ConfigureAwait(false);
        ThrowIfFailed();
    }

    /// <summary>Throws when the operation must not go on.</summary>
    /// <exception cref="BackupStateException">It must not.</exception>
    public void ThrowIfFailed()
    {
        if (Failure is { } failure)
            throw failure;
    }

    public async ValueTask DisposeAsync()
    {
        await EndTimerAsync().ConfigureAwait(false);
        _lost.Dispose();
        _stopping.Dispose();
        _turn.Dispose();
    }

    private ITimer CreateTimer(TimeProvider time)
    {
        try
        {
            return time.CreateTimer(static state => _ = ((IntentRefresher)state!).RefreshIfIdleAsync(), this, _lifetime.RefreshInterval, _lifetime.RefreshInterval);
        }
        catch (Exception) when (time != TimeProvider.System)
        {
            // Without timers of the host, those of the system refresh.
            return CreateTimer(TimeProvider.System);
        }
    }

    private async Task EndTimerAsync()
    {
        if (_isStopped)
            return;
        _isStopped = true;
        await _timer.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);

        // One that is under way ends first: afterwards nothing of this operation may be replaced.
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _turn.Release();
    }

    private async Task RefreshIfIdleAsync()
    {
        if (_isStopped || Failure is not null || !await _turn.WaitAsync(0, CancellationToken.None).ConfigureAwait(false))
            return;
        try
        {
            await RefreshAsync(_stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The operation ends.
        }
        finally
        {
            _turn.Release();
        }

        if (Failure is not null)
            await _lost.CancelAsync().ConfigureAwait(false);
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        Refreshed[] objects;
        lock (_objects)
            objects = [.. _objects];
        try
        {
            foreach (Refreshed refreshed in objects)
            {
                if (await TryRefreshAsync(refreshed, cancellationToken).ConfigureAwait(false))
                    continue;
                IsLost = true;
                Failure = new BackupStateException(
                    $"{_operation} was considered stale, or is also run by a copy of this machine: {refreshed.Key} was removed or changed by another process. Nothing more is done; try again.");
                return;
            }

            _lastSuccess = _time.GetTimestamp();
        }
        catch (BackupEngineException e)
        {
            _logger.RefreshFailed(e, _operation);
            if (_time.GetElapsedTime(_lastSuccess) >= _lifetime.StaleAfter)
                Failure = new BackupStateException($"{_operation} could not refresh its intent for {_lifetime.StaleAfter}, so others may consider it stale: {e.Message}");
        }
    }

    /// <returns>False when the object is missing, or is another's.</returns>
    private async Task<bool> TryRefreshAsync(Refreshed refreshed, CancellationToken cancellationToken)
    {
        // An attempt that failed may have arrived, or arrive yet.
        bool mayHaveArrived = refreshed.Attempt is not null;
        byte[] next = refreshed.Attempt ?? refreshed.Write(refreshed.Count + 1);
        refreshed.Attempt = next;
        try
        {
            await _store.PutAsync(refreshed.Key, next, PutCondition.IfUnchanged(refreshed.Content), cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Changed)
        {
            if (!mayHaveArrived || !await IsThereAsync(refreshed.Key, next, cancellationToken).ConfigureAwait(false))
                return false;
        }

        (refreshed.Content, refreshed.Attempt) = (next, null);
        refreshed.Count++;
        return true;
    }

    private async Task<bool> IsThereAsync(string key, byte[] content, CancellationToken cancellationToken)
    {
        try
        {
            byte[] there = await _store.GetAllAsync(key, CatalogJson.MaxLength, cancellationToken).ConfigureAwait(false);
            return there.AsSpan().SequenceEqual(content);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            return false;
        }
    }

    private sealed record Refreshed(string Key, Func<int, byte[]> Write)
    {
        public required byte[] Content { get; set; }

        /// <summary>What was tried to be stored, when it is not known what became of it.</summary>
        public byte[]? Attempt { get; set; }

        public int Count { get; set; }
    }
}
