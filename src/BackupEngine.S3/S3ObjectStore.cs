using System.Runtime.CompilerServices;
using BackupEngine.ObjectStores;

namespace BackupEngine.S3;

/// <summary>Keeps objects in a bucket of AWS S3, Ceph RGW, MinIO or another server that speaks S3.</summary>
/// <remarks>
/// Every put carries the SHA-256 of its content under the request's signature, so the server refuses what was damaged on the way.
/// Passing failures (overload, broken connections, stalls, truncated answers) are tried again with growing pauses;
/// refusals (wrong key, missing bucket, no permission) are reported at once.
/// </remarks>
public sealed class S3ObjectStore : IObjectStore, IDescribedObjectStore
{
    /// <summary>Objects deleted at once where the server does not delete several by one request.</summary>
    private const int ConcurrentDeletes = 8;

    /// <summary>Pages without an object, one after the other, from which on a listing counts as one that never ends.</summary>
    private const int MaxEmptyPages = 1000;

    private readonly S3Connection _connection;
    private readonly S3Control _control;
    private readonly S3Transfer _transfer;
    private readonly S3Retry _retry;
    private readonly S3Dialect _dialect;
    private readonly bool _createBucket;

    /// <summary>Uses a bucket; nothing is asked of the server until the first call.</summary>
    /// <param name="options">Which bucket, and how.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public S3ObjectStore(S3ObjectStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Name = $"s3://{options.Bucket}{(options.Prefix.Length == 0 ? "" : "/" + options.Prefix)}";
        _createBucket = options.CreateBucket;
        S3Errors errors = new(Name);
        _connection = new S3Connection(options);
        _control = new S3Control(_connection, errors);
        _transfer = new S3Transfer(_connection, errors, options.StallTimeout);
        _retry = new S3Retry(options);
        _dialect = S3Dialect.Of(_connection.BucketAddress);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string ServerId => _connection.BucketAddress;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> ServerProperties => new Dictionary<string, string>
    {
        ["if_match_tags"] = _dialect.TagForm switch { S3TagForm.Quoted => "quoted", S3TagForm.Unquoted => "unquoted", _ => "unknown" },
        ["batch_delete"] = _dialect.DeletesInBatches switch { true => "yes", false => "no", _ => "unknown" },
    };

    /// <inheritdoc/>
    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        ObjectKey.Validate(key);
        cancellationToken.ThrowIfCancellationRequested();
        S3Put put = await S3Put.PrepareAsync(key, content, condition, cancellationToken).ConfigureAwait(false);
        try
        {
            await _retry.ExecuteAsync(PutOnceAsync, put, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.ContainerNotFound && _createBucket)
        {
            await _retry.ExecuteAsync((_, token) => _control.CreateBucketAsync(token), put, cancellationToken).ConfigureAwait(false);
            await _retry.ExecuteAsync(PutOnceAsync, put, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        ObjectKey.Validate(key);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            // No range can ask for nothing: whether the object exists is then all there is to know.
            return destination.IsEmpty
                ? await ExistsAsync(key, cancellationToken).ConfigureAwait(false) ? 0 : throw _transfer.NotFound(key)
                : await _retry.ExecuteAsync(
                    (range, token) => _transfer.GetAsync(range.key, range.offset, range.destination, token),
                    (key, offset, destination),
                    cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.ContainerNotFound && _createBucket)
        {
            throw _transfer.NotFound(key);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default)
    {
        ObjectKey.Validate(key);
        cancellationToken.ThrowIfCancellationRequested();
        S3Head? head = await HeadOnceOrMoreAsync(key, cancellationToken).ConfigureAwait(false);
        return head?.Info;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        cancellationToken.ThrowIfCancellationRequested();

        // Servers differ in what they make of odd characters; no key has any.
        if (prefix.Any(c => c != '/' && !ObjectKey.IsValid($"x{c}")))
            yield break;

        string? continuation = null;
        HashSet<string> seen = new(StringComparer.Ordinal);
        int emptyPages = 0;
        do
        {
            S3Page page;
            try
            {
                page = await _retry.ExecuteAsync(
                    (from, token) => _control.ListPageAsync(from.prefix, from.continuation, token), (prefix, continuation), cancellationToken).ConfigureAwait(false);
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.ContainerNotFound && _createBucket)
            {
                yield break;
            }

            foreach (ObjectInfo info in page.Objects)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return info;
            }

            // Either would make the listing endless.
            emptyPages = page.Objects.Count == 0 ? emptyPages + 1 : 0;
            continuation = page.Continuation;
            if (continuation is not null && (!seen.Add(continuation) || emptyPages > MaxEmptyPages))
            {
                throw new ObjectStoreException(
                    ObjectStoreError.Failed,
                    null,
                    $"{Name}: cannot list '{prefix}': the server {(emptyPages > MaxEmptyPages ? $"sent {emptyPages} pages without an object" : "repeats a continuation token")}, so the listing would never end; this is a fault of the server");
            }
        }
        while (continuation is not null);
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (string key in keys)
            ObjectKey.Validate(key);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            foreach (string[] batch in keys.Distinct(StringComparer.Ordinal).Chunk(S3Control.MaxDeleteBatch))
                await DeleteBatchAsync(batch, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.ContainerNotFound && _createBucket)
        {
            // Nothing was there, so nothing is left.
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _connection.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask PutOnceAsync(S3Put put, CancellationToken cancellationToken)
    {
        try
        {
            if (put.IsMismatch)
                await MismatchOnceAsync(put, cancellationToken).ConfigureAwait(false);
            else if (put.Expected is { } expected)
                await ReplaceOnceAsync(put, expected, cancellationToken).ConfigureAwait(false);
            else
                await _transfer.PutAsync(put, null, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.IsTransient)
        {
            put.MayBeStored = true;
            throw;
        }
        catch (ObjectStoreException e) when (e.Error is ObjectStoreError.AlreadyExists or ObjectStoreError.Changed && put.MayBeStored)
        {
            // An attempt whose answer was lost may have been the one that stored it.
            S3Head? head = await _control.HeadAsync(put.Key, cancellationToken).ConfigureAwait(false);
            if (head?.PutId != put.Id)
                throw;
        }
    }

    private async ValueTask ReplaceOnceAsync(S3Put put, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        string tag = await _transfer.FindTagAsync(put.Key, expected, cancellationToken).ConfigureAwait(false) ?? throw _transfer.Changed(put.Key);
        if (_dialect.TagForm is { } known)
        {
            await _transfer.PutAsync(put, S3Dialect.Write(tag, known), cancellationToken).ConfigureAwait(false);
            return;
        }

        try
        {
            await _transfer.PutAsync(put, S3Dialect.Write(tag, S3TagForm.Quoted), cancellationToken).ConfigureAwait(false);
            _dialect.TagForm = S3TagForm.Quoted;
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Changed)
        {
            // Nothing was stored: the object has changed since it was read, or the server knows tags only without quotation marks, as Ceph does.
            await _transfer.PutAsync(put, S3Dialect.Write(tag, S3TagForm.Unquoted), cancellationToken).ConfigureAwait(false);
            _dialect.TagForm = S3TagForm.Unquoted;
        }
    }

    /// <summary>
    /// Sends a tag that no object has. A server that stores the object nevertheless may drop tags of the form that was sent as malformed and honour the other: then that
    /// form is the one to use.
    /// </summary>
    private async ValueTask MismatchOnceAsync(S3Put put, CancellationToken cancellationToken)
    {
        string none = Guid.NewGuid().ToString("N");
        S3TagForm form = _dialect.TagForm ?? S3TagForm.Quoted;
        try
        {
            await _transfer.PutAsync(put, S3Dialect.Write(none, form), cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Changed && _dialect.TagForm is not null)
        {
            _dialect.IsTagFormConfirmed = true;
            throw;
        }

        // The form is right, and yet the server has stored the object: no other form would help.
        if (_dialect.IsTagFormConfirmed)
            return;
        S3TagForm other = form == S3TagForm.Quoted ? S3TagForm.Unquoted : S3TagForm.Quoted;
        try
        {
            await _transfer.PutAsync(put, S3Dialect.Write(none, other), cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Changed)
        {
            if (!await AcceptsAsync(put, other, cancellationToken).ConfigureAwait(false))
                return;
            _dialect.TagForm = other;
            _dialect.IsTagFormConfirmed = true;
            throw;
        }
    }

    /// <summary>Puts an object in the place of its own copy, with its tag in a form.</summary>
    private async ValueTask<bool> AcceptsAsync(S3Put put, S3TagForm form, CancellationToken cancellationToken)
    {
        try
        {
            if (await _transfer.FindTagAsync(put.Key, put.Content, cancellationToken).ConfigureAwait(false) is not { } tag)
                return false;
            await _transfer.PutAsync(put, S3Dialect.Write(tag, form), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Changed)
        {
            return false;
        }
    }

    private async ValueTask DeleteBatchAsync(string[] keys, CancellationToken cancellationToken)
    {
        if (keys.Length == 1 || _dialect.DeletesInBatches != false)
        {
            try
            {
                await _retry.ExecuteAsync(_control.DeleteAsync, keys, cancellationToken).ConfigureAwait(false);
                if (keys.Length > 1)
                    _dialect.DeletesInBatches = true;
                return;
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Failed && keys.Length > 1 && _dialect.DeletesInBatches is null)
            {
                _dialect.DeletesInBatches = false;
            }
        }

        await Parallel.ForEachAsync(
            keys,
            new ParallelOptions { MaxDegreeOfParallelism = ConcurrentDeletes, CancellationToken = cancellationToken },
            (key, token) => _retry.ExecuteAsync(_control.DeleteAsync, new[] { key }, token)).ConfigureAwait(false);
    }

    private async ValueTask<bool> ExistsAsync(string key, CancellationToken cancellationToken) =>
        await HeadOnceOrMoreAsync(key, cancellationToken).ConfigureAwait(false) is not null;

    private async ValueTask<S3Head?> HeadOnceOrMoreAsync(string key, CancellationToken cancellationToken)
    {
        S3Head? head = await _retry.ExecuteAsync(_control.HeadAsync, key, cancellationToken).ConfigureAwait(false);
        if (head is null && !_createBucket)
            await _retry.ExecuteAsync(_control.RequireBucketAsync, key, cancellationToken).ConfigureAwait(false);
        return head;
    }
}
