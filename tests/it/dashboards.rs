mod boards;
mod expression;
mod files;
mod rules;
