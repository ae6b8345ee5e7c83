mod cover;
mod life;
mod reading;
mod sessions;
mod shutdown;
